"""The words of written dates: months, weekdays, named days, and what stands by them."""

from typing import Final

from nlp_redaction.lexicons import word_set

MONTH_NUMBERS: Final[dict[str, int]] = {
    word: number
    for number, words in enumerate(
        (
            "january jan janaury ionawr",
            "february feb febuary chwefror",
            "march mar mawrth",
            "april apr ebrill",
            "may mai",
            "june jun mehefin",
            "july jul gorffennaf",
            "august aug awst",
            "september sept sep setpember medi",
            "october oct octobre hydref",
            "november nov tachwedd",
            "december dec decemeber rhagfyr",
        ),
        start=1,
    )
    for word in words.split()
}
"""Every spelling of a month that is read, with its number."""

DOUBTFUL_MONTHS: Final = word_set("may march mar sep oct dec mai medi mawrth")
"""Months that are words or abbreviations of their own: they need a cue."""

WEEKDAY_NUMBERS: Final[dict[str, int]] = {
    form: number
    for number, words in enumerate(
        (
            "monday mon",
            "tuesday tues tue teus",
            "wednesday weds wed wednesay wensday wednsday",
            "thursday thurs thur thu thusday",
            "friday fri",
            "saturday sat",
            "sunday sun",
        )
    )
    for word in words.split()
    for form in ((word, word + "s") if word.endswith("day") else (word,))
}
"""Every English spelling of a weekday, Monday being 0; plurals of the full names."""

WELSH_DAYS: Final[dict[str, int]] = {
    word: number
    for number, word in enumerate(
        ["llun", "mawrth", "mercher", "iau", "gwener", "sadwrn", "sul"]
    )
}
"""What follows ``dydd`` or ``nos``."""

WELSH_DAY_HEADS: Final = word_set("dydd ddydd nydd nos")

SEASONS: Final = word_set("spring summer autumn winter")

PART_OF_DAY: Final = word_set(
    "am pm morning afternoon evening night nite nights eve lunch lunchtime sunset "
    "sundown clinic list"
)

DATE_CUES: Final = word_set(
    "on since dated date dob born b seen due review reviewed rv until till til untill "
    "from before after by admitted adm discharged dc next last typed signed edd lmp "
    "dos doa dod doi appt appts appointment booked book visit visited clinic w/c w/e w/b wc f/u "
    "call wb started stopped start starts stop ended ends expires exp expiry called rang "
    "died passed bloods op done taken typed dictated received written letter mtg "
    "meeting court contact dx diagnosed hba1c approx circa of to ordained seen fitted "
    "mdt wr cxr ct mri pet scan us uss offered triage rescheduled cancelled "
    "reviewing dna cpa informed signature completed sent recvd rec back given "
    "confirmed closed opened updated inj dose reply created requested required "
    "attended attend away hols leave between and board log list rota "
    "handover sample collected reported authorised"
)
"""Words before a figure that make it a date, where it has not to be told from a span."""

STRONG_DATE_CUES: Final = word_set(
    "on dated date dob born signed edd w/c w/e w/b wc wb typed dictated dod doa doi dos "
    "called written until till til by received meeting mtg tues mon booked"
)
"""The few that a duration or a score never follows."""

YEAR_MONTH_CUES: Final = word_set(
    "since exp expires expiry expired dx diagnosed hba1c dob b born dated from until "
    "till til stopped started last rev review due & in to date"
)
"""What stands before a month and a year in figures."""

NOT_DATE_BEFORE: Final = word_set(
    "bp pain power mood score scores scored gcs x va acuity apgar apgars borg nrs vas "
    "mrc rate grade stage level mmse amts amt moca berg barthel ratio phq gad 4at "
    "aces tds bd od qds om nocte mg mcg g ml for past upsi headache sore "
    "anxiety motivation tenderness df pf strength reflexes itch fatigue nausea "
    "cough vomiting coryza ulcer vhi nihss frax fraction ef fev1 fvc sats gestation "
    "chapter section page item bed bay room rm flat unit step station kcal ph temp t k "
    "hb inr bm wt weight na crp wcc egfr cfs rockwood must waterlow slr le re r l rom "
    "sitting c n pred prednisolone worry best amox fluclox clari doxy "
    "tested sessions session gait index mets ashworth "
    "allred pr er her2 version v ver number nos h ht height length "
    "mean median ci p sd pressure pulse hr rr spo2 glucose sugar"
)
"""Words before two figures that make them a score, a measure or a place."""

DURATION_UNITS_AFTER: Final = word_set(
    "ago old hx history course sessions session times attempts daily mg mcg ml mmol kg cm mm g l units unit weeks week "
    "wks wk days months mths yrs years hours hrs mins x reps percent bd tds od qds om "
    "nocte dose doses tablets tabs sips flat sitting centile"
)
"""Words after two figures that make them a duration, a measure or a dose."""

MONTH_CUES: Final = word_set(
    "in since last next this until till til of from early late mid by end about before "
    "during every to between for after through start beginning ym mis ers and due "
    "til around late"
)
"""Words before a doubtful month that make it a month."""

WEEKDAY_CUES: Final = word_set(
    "on since last next this until till til from by end before after every due dc than "
    "each for to home and new seen booked review rv bloods uss op clinic wef d/c stay "
    "back away late rpt repeat again call alternate other scan done died rang up "
    "drive visit driving came away lsi nights days handover check early thru "
    "tomorrow tmw tmrw today yesterday off"
)
"""Words before ``sat`` or ``sun`` that make it a day."""

NOT_SATURDAY_BEFORE: Final = word_set(
    "he she they i we who and was pt patient were you mother mum dad it had spaniel o2 "
    "lowest lady man oxygen rr resting room still just then ambulatory "
    "target"
)
NOT_SATURDAY_AFTER: Final = word_set(
    "on in with up out down at by w beside next there upright for still him her back "
    "to comfortably comfortable quietly monitor probe ra sats probes reading monitoring "
    "alone between outside inside the a under near crying and"
)
NOT_SUNDAY_BEFORE: Final = word_set(
    "the in midday avoid hot full direct much no any of strong from spanish bright "
    "factor his her some more"
)
NOT_SUNDAY_AFTER: Final = word_set(
    "cream creams exposure damage damaged burn burnt block light protection hat "
    "lounger tan rise set bed beds spots avoidance sensitive sensitivity screen lotion "
    "exposed shine safe safety protective allergy with behind"
)

ORDINAL_CUES: Final = word_set(
    "until till til since by on next from due court visit letter typed back review rv "
    "mtg wc w/c w/b w/e appt tomorrow for off done seen booked before after mri ct xr scan "
    "last dose leave clinic class uss started given rang between died born op away "
    "mccd stays dob dod dos starts finishes ends blood bloods to swab sample "
    "admitted dc discharged trip handover weds"
)
"""Words before ``3rd`` that make it a day of the month."""

NOT_DAY_AFTER: Final = word_set(
    "centile centiles percentile toe mtp mtpj mth mt met mets metatarsal metacarpal mc "
    "degree deg line stage week wk floor edition dose doses time rib ribs space "
    "trimester year yr generation gen loss fall attempt door go reviewer opinion review "
    "birthday cervical nerve finger digit grade degree century st reading molar "
    "primaries degrees cousin baby child pregnancy admission adm delivery ring name "
    "inj injection bag morph try mw nutramigen docetaxel tissued hand class choice "
    "party aid instance person choice month months cycle round place presentation "
    "visit episode line day nite night ulcer stone ventricle heart sound neg "
    "primary breast primip avenue street road regiment battalion degree helping "
    "helpings wife husband half quarter vacc menb pill tooth incisor premolar intercostal "
    "percentiles instar ed neurone bn"
)
"""What an ordinal number counts when it is no day."""

NAMED_DAY_WORDS: Final = (
    "eastertide|xmas|whitsun(?:tide)?|ramad(?:h)?an|ramzan|ramazan|diwali|divali|"
    "deepavali|vaisakhi|baisakhi|hanukkah|chanukah|pesach|passover|purim|yom kippur|"
    "rosh hashanah?|sukkot|shavuot|holi|navratri|janmashtami|raksha bandhan|tihar|"
    "dashain|dussehra|durga puja|nowruz|norouz|ashura|arbaeen|jumu'ah|hallowe'?en|"
    "hogmanay|michaelmas|candlemas|lammas|epiphany|twelfth night|burns night|"
    "bonfire night|guy fawkes(?: night)?|pancake day|corpus christi|all saints'?(?: day)?|"
    "all souls'?(?: day)?|pentecost|lohri|onam|pongal|vesak|ekadashi|samhain|"
    "lunar new year|chinese new year|persian new year|tet|lent|advent|"
    "millennium|nadolig|y pasg|calan mai|dydd gwyl dewi|"
    "boxing day|may day|v[ej][- ]day|d-day|armistice day|ascension day|midsummer'?s?(?: day)?|"
    "(?:mother|father|valentine|april fool|new year)'?s'? day|new year'?s'? eve|"
    "new yrs? (?:day|eve)|new (?:year'?s?|yrs?|years)|(?:jubilee )?bank hol(?:iday|s)?|"
    "(?:shrove|pancake) tue(?:s|sday)?|ash wed(?:nesday|s)?|maundy thu(?:rs|rsday)?|"
    "good fri(?:day)?|holy (?:week|sat(?:urday)?)|(?:palm|mothering|remembrance|low|"
    "trinity|whit|easter|advent) (?:sun(?:day)?|mon(?:day)?)|black friday|"
    "(?:orthodox )?easter|christmas|eid(?:[- ](?:al|ul)[- ][a-z]{2,6}(?:[- ][a-z]{4,5})?)?|"
    "saint [a-z]{3,10}'?s day|st\\.? [a-z]{3,10}'?s day|remembrance day|jubilee"
)
"""Alternatives of a regular expression, in lower case with plain apostrophes."""

CAPITAL_DAYS: Final = word_set("lent advent holi tet pentecost epiphany jubilee lammas")
"""Named days that count only with a capital: they are words or names otherwise."""

NAMED_DAY_HEADS: Final = word_set(
    "eastertide xmas whitsun whitsuntide ramadan ramadhan ramzan ramazan diwali divali "
    "deepavali vaisakhi baisakhi hanukkah chanukah pesach passover purim yom rosh sukkot "
    "shavuot holi navratri janmashtami raksha tihar dashain dussehra durga nowruz norouz "
    "ashura arbaeen jumu hallowe halloween hogmanay michaelmas candlemas lammas epiphany "
    "twelfth burns bonfire guy pancake corpus all pentecost lohri onam pongal vesak "
    "ekadashi samhain lunar chinese persian tet lent advent nadolig y calan dydd the "
    "boxing may ve vj v d armistice ascension midsummer midsummers mother father "
    "valentine mothers fathers valentines april new jubilee bank shrove ash maundy good "
    "holy palm mothering remembrance low trinity whit easter black orthodox christmas "
    "eid saint st millennium"
) - {"the", "d", "v"}
"""The first words of the named days: only where one stands is the pattern tried."""

ORDINAL_WORDS: Final[dict[str, int]] = {
    word: number
    for number, word in enumerate(
        [
            "first",
            "second",
            "third",
            "fourth",
            "fifth",
            "sixth",
            "seventh",
            "eighth",
            "ninth",
            "tenth",
            "eleventh",
            "twelfth",
            "thirteenth",
            "fourteenth",
            "fifteenth",
            "sixteenth",
            "seventeenth",
            "eighteenth",
            "nineteenth",
            "twentieth",
        ],
        start=1,
    )
} | {"thirtieth": 30}
