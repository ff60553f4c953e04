"""The words that give an address away, by how much each of them says."""

from enum import Enum, auto
from typing import Final


class Sign(Enum):
    """What a word promises about the words around it."""

    STREET = auto()  # a capitalised name before it is enough
    PLACE = auto()  # the same, unless the name is a clinical word
    HOUSE = auto()  # only with a number before it, or a street behind it
    UNIT = auto()  # a number or letter follows
    WELSH = auto()  # the name follows
    CUE = auto()  # the address follows
    AT = auto()  # a number and a name may follow
    BOX = auto()
    NUMBER = auto()
    THE = auto()


_WORDS: Final[dict[Sign, str]] = {
    Sign.THE: "the",
    Sign.BOX: "box",
    Sign.NUMBER: "number no",
    Sign.AT: "at of now still",
    Sign.CUE: (
        "address addr adress addres addresss add addy lives lived living resides moved"
        " home residing loc prop"
    ),
    Sign.WELSH: "heol ffordd stryd lon lôn rhodfa clos mains llys tyddyn plas maes",
    Sign.UNIT: (
        "flat flt apartment apt unit room rm block suite plot fl bungalow caravan"
        " studio maisonette hostel floor"
    ),
    Sign.HOUSE: (
        "house cottage cottages lodge farm bank tower towers flats buildings building"
        " chambers mill mills orchard heights leys stairs gate reach meadow meadows edge"
        " end side paddocks paddock point hall barn villa villas garth granary loft hut"
        " field fields forge maltings apartments mansions manor grange rectory vicarage"
        " bungalows wood woods spinney bottom bridge top arch works depot staith almshouses"
        " parklands estate acre acres marsh farmhouse boathouse stables kilns hollies elms"
        " byre yard pl park gdn cl av gr ter ropewalk portakabin rooms bryn isaf uchaf"
        " park pk gos way walk"
    ),
    Sign.PLACE: (
        "close court ct crt place way walk hill row green rise vale view loan quay quays"
        " wharf yard fold croft approach passage hollow dale dene copse brow mead quad"
        " quadrant path ridge chase circus strand promenade broadway arcade causeway"
        " square sq"
    ),
    Sign.STREET: (
        "road rd street str st avenue ave crescent cres cresc lane ln gardens gdns grove"
        " terrace terr mews wynd brae drove drive parade pde boulevard bvd esplanade"
        " alley dr"
    ),
}
SIGNS: Final[dict[str, Sign]] = {
    word: sign for sign, words in _WORDS.items() for word in words.split()
}

HOUSE_WORDS: Final = frozenset(_WORDS[Sign.HOUSE].split()) | frozenset(
    ("court", "view", "quay", "quays", "wharf", "rise", "cottage", "croft", "hall")
)
"""What the name of a house, before the street, may end in."""

NUMBER_WORDS: Final = frozenset(
    (
        *(
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
        ),
        *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "twenty"),
        *("seventeen", "eighteen", "nineteen", "thirty", "forty", "fifty", "sixty"),
        *("seventy", "eighty", "ninety"),
    )
)

NEVER_NAMES: Final = frozenset(
    (
        *("mm", "cm", "kids", "quality"),
        *("a", "an", "and", "the", "in", "on", "at", "of", "to", "from", "with", "by"),
        *(
            "for",
            "or",
            "is",
            "was",
            "are",
            "this",
            "that",
            "these",
            "his",
            "her",
            "their",
        ),
        *("my", "our", "your", "its", "it", "no", "not", "per", "each", "every", "all"),
        *(
            "minute",
            "minutes",
            "min",
            "mins",
            "hour",
            "hours",
            "mile",
            "miles",
            "metre",
        ),
        *(
            "metres",
            "m",
            "km",
            "yard",
            "yards",
            "day",
            "days",
            "week",
            "weeks",
            "month",
        ),
        *("months", "year", "years", "yr", "yrs", "person", "bed", "bedded", "bedroom"),
        *(
            "up",
            "down",
            "across",
            "into",
            "along",
            "off",
            "over",
            "under",
            "near",
            "via",
        ),
        *("outside", "opposite", "behind", "beside", "between", "same", "some", "any"),
        *("very", "too", "so", "as", "than", "main", "busy", "side", "other", "own"),
        *("mr", "mrs", "ms", "miss", "dr", "prof", "professor", "sister", "sr", "rev"),
        *(
            "via",
            "who",
            "when",
            "where",
            "then",
            "but",
            "if",
            "she",
            "he",
            "they",
            "we",
        ),
        *(
            "i",
            "you",
            "x",
            "mg",
            "ml",
            "mcg",
            "times",
            "pm",
            "am",
            "hrs",
            "hr",
            "lives",
        ),
        *("address", "living", "home", "flat", "unit", "had", "has", "have"),
        *("high", "crown", "county", "magistrates", "family", "supreme", "coroners"),
        *("january", "february", "march", "april", "may", "june", "july", "august"),
        *("september", "october", "november", "december", "jan", "feb", "mar", "apr"),
        *("jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "out", "back", "go"),
        *(
            "went",
            "long",
            "which",
            "one",
            "nd",
            "th",
            "rd",
            "st",
            "please",
            "dear",
            "re",
        ),
    )
)
"""Words that no name of a street begins with, save after its number."""

INSIDE_NAMES: Final = frozenset(
    (
        *(
            "the",
            "of",
            "may",
            "high",
            "long",
            "st",
            "march",
            "side",
            "back",
            "main",
            "one",
        ),
        *("drove", "up", "yard", "august"),
    )
)
"""Those of them that may stand in a name behind a number, or with a capital."""

LOWER_HOUSES: Final = frozenset(
    (
        *("house", "cottage", "cottages", "farm", "lodge", "tower", "towers", "flats"),
        *(
            "villas",
            "park",
            "heights",
            "buildings",
            "mill",
            "meadow",
            "meadows",
            "barn",
        ),
        *(
            "orchard",
            "paddocks",
            "farmhouse",
            "boathouse",
            "maltings",
            "bungalow",
            "forge",
        ),
        *("hollies", "elms", "rectory", "manor", "court", "hall", "cottage", "stables"),
    )
)
"""The names of houses that are believed in lower case, behind a number."""

SURE_HOUSES: Final = frozenset(
    (
        *(
            "farm",
            "cottage",
            "house",
            "lodge",
            "barn",
            "hall",
            "villa",
            "grange",
            "manor",
        ),
        *("bungalow", "towers", "rectory", "mill", "farmhouse"),
    )
)
"""The names of houses that "at" before them makes sure."""

BARE_STREETS: Final = frozenset(
    ("road", "rd", "street", "lane", "avenue", "st", "crescent")
)
"""Streets whose name may be lower-case and without a number, after a preposition."""

PREPOSITIONS: Final = frozenset(
    (
        "on",
        "in",
        "at",
        "outside",
        "near",
        "off",
        "down",
        "along",
        "from",
        "behind",
        "by",
    )
)

NOT_STREET_NAMES: Final = frozenset(
    (
        *(
            "main",
            "side",
            "back",
            "a",
            "the",
            "high",
            "busy",
            "country",
            "local",
            "same",
        ),
        *("own", "middle", "narrow", "quiet", "dual", "slip", "bus", "fast", "cycle"),
        *("this", "that", "open", "icy", "wet", "one", "other", "another", "opposite"),
        *("our", "his", "her", "my", "their", "your", "dark", "public", "rough", "up"),
        *(
            "long",
            "rocky",
            "old",
            "new",
            "across",
            "down",
            "whole",
            "access",
            "service",
        ),
    )
)

STOREYS: Final = frozenset(
    (
        "ground",
        "first",
        "second",
        "third",
        "top",
        "garden",
        "basement",
        "upper",
        "lower",
    )
)
STOREY_TAILS: Final = frozenset(("flat", "left", "right", "floor"))
USUAL_STREETS: Final = frozenset(
    (
        *(
            "high",
            "west",
            "east",
            "north",
            "south",
            "church",
            "mill",
            "market",
            "queen",
        ),
        *("king", "station", "main", "bridge", "castle", "park", "chapel", "victoria"),
    )
)
AFTER_CUE: Final = frozenset(
    ("is", "now", "at", "to", "in", "alone", "c", "o", "of", "with", "line", "details")
)
