"""The list of our recognisers."""

from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.recognisers.contacts.bleep import BleepRecogniser
from nlp_redaction.recognisers.contacts.email import EmailRecogniser
from nlp_redaction.recognisers.contacts.phone import PhoneRecogniser
from nlp_redaction.recognisers.contacts.url import UrlRecogniser
from nlp_redaction.recognisers.dates.age import AgeRecogniser
from nlp_redaction.recognisers.dates.date import DateRecogniser
from nlp_redaction.recognisers.names.form_fields import FormName, InvertedName
from nlp_redaction.recognisers.names.initials import InitialsRecogniser
from nlp_redaction.recognisers.names.lexicon import NameByAbsence
from nlp_redaction.recognisers.names.triggers import CuedName, TitledName
from nlp_redaction.recognisers.numbers.case_number import CaseNumberRecogniser
from nlp_redaction.recognisers.numbers.driving_licence import DrivingLicenceRecogniser
from nlp_redaction.recognisers.numbers.hospital_number import HospitalNumberRecogniser
from nlp_redaction.recognisers.numbers.login import LoginRecogniser
from nlp_redaction.recognisers.numbers.national_insurance import (
    NationalInsuranceRecogniser,
)
from nlp_redaction.recognisers.numbers.nhs_number import NhsNumberRecogniser
from nlp_redaction.recognisers.numbers.passport import PassportRecogniser
from nlp_redaction.recognisers.numbers.professional_number import (
    ProfessionalNumberRecogniser,
)
from nlp_redaction.recognisers.numbers.vehicle import VehicleRecogniser
from nlp_redaction.recognisers.places.address import AddressRecogniser
from nlp_redaction.recognisers.places.employer import EmployerName
from nlp_redaction.recognisers.places.institution import InstitutionName
from nlp_redaction.recognisers.places.place import PlaceName
from nlp_redaction.recognisers.places.postcode import PostcodeRecogniser
from nlp_redaction.settings import Settings


def list_recognisers(settings: Settings | None = None) -> list[Recogniser]:
    """Make one of each recogniser, as the settings say."""
    return [
        NhsNumberRecogniser(),
        HospitalNumberRecogniser(settings),
        ProfessionalNumberRecogniser(),
        NationalInsuranceRecogniser(),
        PassportRecogniser(),
        DrivingLicenceRecogniser(),
        CaseNumberRecogniser(),
        BleepRecogniser(),
        VehicleRecogniser(),
        LoginRecogniser(),
        PhoneRecogniser(),
        EmailRecogniser(),
        UrlRecogniser(),
        PostcodeRecogniser(),
        AddressRecogniser(),
        DateRecogniser(),
        AgeRecogniser(),
        TitledName(),
        CuedName(),
        FormName(),
        InvertedName(),
        InitialsRecogniser(),
        NameByAbsence(settings),
        PlaceName(),
        InstitutionName(),
        EmployerName(),
    ]
