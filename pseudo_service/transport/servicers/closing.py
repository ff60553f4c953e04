"""The four calls by which a project ends, for the administration servicer."""

import grpc

from pseudo_service.api.v1 import administration_pb2 as messages
from pseudo_service.engine.projects.closing import ProjectClosing
from pseudo_service.transport.codecs.fields import encode_statement
from pseudo_service.transport.codecs.projects import encode_bare_project, encode_project
from pseudo_service.transport.interceptors.calls import current_call


class ClosingCalls:
    """Decodes, calls the engine, encodes."""

    _closing: ProjectClosing

    def CloseProject(
        self, request: messages.CloseProjectRequest, context: grpc.ServicerContext
    ) -> messages.CloseProjectResponse:
        """Ask for a project's end, which stops its data calls."""
        facts = self._closing.close(
            request.project,
            reason=request.reason,
            cooling_days=request.cooling_days,
            actor=current_call().actor,
        )
        return messages.CloseProjectResponse(project=encode_project(facts))

    def AgreeToClose(
        self, request: messages.AgreeToCloseRequest, context: grpc.ServicerContext
    ) -> messages.AgreeToCloseResponse:
        """Add a second custodian's word."""
        facts = self._closing.agree(request.project, actor=current_call().actor)
        return messages.AgreeToCloseResponse(project=encode_project(facts))

    def CancelClosing(
        self, request: messages.CancelClosingRequest, context: grpc.ServicerContext
    ) -> messages.CancelClosingResponse:
        """Call the end off; the project is suspended."""
        facts = self._closing.cancel(
            request.project, reason=request.reason, actor=current_call().actor
        )
        return messages.CancelClosingResponse(project=encode_project(facts))

    def DestroyProject(
        self, request: messages.DestroyProjectRequest, context: grpc.ServicerContext
    ) -> messages.DestroyProjectResponse:
        """Delete a project's keys for ever, and certify it."""
        done = self._closing.destroy(request.project, actor=current_call().actor)
        return messages.DestroyProjectResponse(
            project=encode_bare_project(done.project),
            certificate=encode_statement(done.certificate),
        )
