"""The words that stand before a number or code, and what they say it is."""

from enum import StrEnum
from typing import Final

from nlp_redaction.lexicons import word_set


class Cue(StrEnum):
    """What a word before a code announces."""

    NONE = ""
    NEVER = "never"
    """A batch, a diagnosis code, a device model: nobody's identifier."""
    GENERIC = "generic"
    """``no``, ``number``: says that a code follows, not which."""
    NHS = "nhs"
    HOSPITAL = "hospital"
    PROFESSIONAL = "professional"
    NATIONAL_INSURANCE = "national insurance"
    PASSPORT = "passport"
    LICENCE = "licence"
    VEHICLE = "vehicle"
    STRONG = "strong"
    """Announces a case, account or device number and hardly anything else."""
    WEAK = "weak"
    """Announces a code, but is an ordinary word too (job, order, case)."""
    BLEEP = "bleep"
    OFFICER = "officer"
    """A police officer: the collar number may follow the name."""
    LOGIN = "login"


def _list(cue: Cue, words: str) -> dict[str, Cue]:
    return dict.fromkeys((word.strip() for word in words.split(",")), cue)


# Phrases of two words are written with a space and win over their second word.
CUES: Final[dict[str, Cue]] = {
    **_list(
        Cue.NEVER,
        "lot, lots, batch, bn, icd, icd10, opcs, opcs4, snomed, sct, sctid, ctv, ctv3, isbn, doi, pmid, issn,"
        "model, version, gtin, udi, upn, expiry, exp, catalogue, catalog, cat no, item, morphology, orcid,"
        "edition, read code, read codes, chapter, figure, table, page, hrg, cpt, nsn, size, gene, room, bed, bay, ward,"
        "theatre, procedure code, procedure codes, dental code, diagnosis code, billing code, cpt code, tel, telephone, phone, mobile, mob, fax, extension, ext, sort code, nct, isrctn, eudract, orpha,"
        "omim, part no, trial, variant, postcode, grid ref, grid reference, map ref, dose",
    ),
    **_list(
        Cue.GENERIC,
        "no, nos, n0, number, numbers, num, nr, id, ids, code, ref, reference, identifier, refs",
    ),
    **_list(Cue.NHS, "nhs, nhsno, chi, hcn, h&c, h c, care number"),
    **_list(
        Cue.HOSPITAL,
        "mrn, mrns, hospital, hosp, hosp., unit, rio, systmone, systemone, emis, pas, urn, district, district no, k no,"
        "patient, pt, pid, pt no, case notes, casenotes, casenote, record, records, oncology, clinic, client, service user,"
        "local, episode, attendance, att, crn, swift, mosaic, liquidlogic, paris, cerner, epic, lorenzo, medway,"
        "chart, registry, participant, subject, subj, carenotes, hospital id, patient id",
    ),
    **_list(
        Cue.PROFESSIONAL,
        "gmc, nmc, gdc, hcpc, gphc, swe, goc, gcc, gosc, rccp, pin, mrpharms, hpc, social work england, scw, sssc, niscc,"
        "registration no, work england, avs, psni, rcvs, uksc, registrant, prescriber, hcp",
    ),
    **_list(
        Cue.NATIONAL_INSURANCE,
        "nino, ni, nin, national insurance, insurance no, insurance number, ni no, ni number",
    ),
    **_list(Cue.PASSPORT, "passport, passports"),
    **_list(
        Cue.LICENCE,
        "dl, driving licence, driving license, driver number, drivers licence, driver licence, licence, license",
    ),
    **_list(
        Cue.VEHICLE,
        "reg, registration, registered, vehicle, veh, car, van, plate, vrm, vrn, plates, callsign, call sign, c s, taxi",
    ),
    **_list(
        Cue.STRONG,
        "our ref, your ref, my ref, our reference, your reference, their ref, their reference, datix, cad, serial, serials, s n, sn, ser, accession, acc,"
        "acct, accn, payroll, collar, badge, dols, ubrn, steis, crime, crime ref, crime reference, mash, marac, inc, invoice,"
        "policy, policies, pol, p0licy, membership, authorisation, authorization, airwaybill, waybill, specimen, lab, case, claim, cert, certificate,"
        "staff, staff no, police ref, ref no, reference no, reference number, booking, prison, prisoner, prison number, moj, noms,"
        "matter, tenancy, consignment, asset, tag, meter, urn, custody, custody no, exhibit, dictation, adastra, lfpse,"
        "ir1, ulysses, sirius, riddor, yellow card, mc number, dbs, tracking, parcel, account, acc no, work order, client ref,"
        "repair, ticket, incident, inquest, request, receipt, docket, sticker, barcode, wristband, pnc, rand, randomisation,"
        "index, cylinder, aed, airtag, keysafe, key safe, safe, seal, envelope, env, kit, donor code, appeal, crim ref,"
        "lab no, lab ref, sample, sample id, log, dossier, member, collar no, episode id, mosaic, enquiry,"
        "complaint, pals, dsar, foi, sar, lims, registry, fam, smartcard, licy, agency, agency no, family no, pedigree, genetics, histology, path, histo, cyto, cytology, swab",
    ),
    **_list(
        Cue.WEAK,
        "file, job, order, ord, call, form, doc, document, study, user, conv, conversation, room no, station, charge, tracker,"
        "report, referral, application, app, message, msg, item no, card, yellow book, equipment, pump, device, machine, box,"
        "bag, bagged, loan, loaner, chair, recs, prop, property, locker, permit, cohort, sheet, cheque, voucher, journey,"
        "mission, event, alert, grant, visit, session, slip, proforma, query, quote, quotation, panel, scan, film, films,"
        "caseload, caseload no, employee, employee no, service, service no, service number, army, regiment, force, warrant, shoulder, dvla,"
        "nhsbt, transplant, donor, sterile, tray, photo, image, images, batch id, plan, cause, court, court no, docketed, assessment,"
        "roll, pupil, student, school, uln, upi, ucas, personal id, scout, scouts, medical card, prescription, script, issue",
    ),
    **_list(
        Cue.BLEEP,
        "bleep, bleeps, blp, bleeped, pager, baton, b #, bp no, bip, dect, vocera",
    ),
    **_list(
        Cue.OFFICER,
        "police, pc, wpc, ps, ds, dc, di, pcso, psni, sgt, sergeant, constable, inspector, officer",
    ),
    **_list(Cue.LOGIN, "username, login, handle, alias, logon"),
}

# Between the cue and the code.
FILLERS: Final = word_set(
    "is was as of me the a an this for to in under with given here your my our his her their its and & "
    ": . # ( [ - = ' \" ; , | / < > quoted quote quoting please hash new old confirmed "
    "seen raised submitted completed filed logged done ending part full "
    "unknown local british uk eu personal client both two i o n 0"
)
UNITS: Final = word_set(
    "mg mcg microgram micrograms g gram grams kg ng ug ml mls l litre litres dl cl cm mm m km mmol mol umol nmol pmol "
    "iu unit units u bpm mmhg kpa cmh hz khz mhz kcal cals calories steps step x times tablets tabs tab capsules caps "
    "puffs drops sachets vials ampoules doses dose hours hrs hr h mins min minutes secs seconds s days day d weeks wks "
    "week wk months month mths yrs years yr year y yo cells copies copy patients people men women cases cigarettes "
    "pack packs per percent stone st lbs lb oz feet ft inches inch metres meters miles mile pounds pence p "
    "degrees deg c f gy cgy mev degc msv mci mbq joules j watts w volts v mv ma hb plt plts wbc cfu rpm fr ch gauge french "
    "words points bags am pm o'clock"
)
MONTHS: Final = word_set(
    "jan feb mar apr may jun jul aug sep sept oct nov dec january february march april june july august september "
    "october november december"
)
