"""Makes the standard library and gRPC cooperate with gevent; import it first."""

from gevent import monkey

monkey.patch_all()

from grpc.experimental.gevent import init_gevent  # noqa: E402 - after the patches

init_gevent()
