"""Our recognisers, and the Presidio registry that holds them and nothing else."""

from typing import TYPE_CHECKING

from nlp_redaction.recognisers.address import AddressRecogniser
from nlp_redaction.recognisers.age import AgeRecogniser
from nlp_redaction.recognisers.base import Recogniser
from nlp_redaction.recognisers.bleep import BleepRecogniser
from nlp_redaction.recognisers.case_number import CaseNumberRecogniser
from nlp_redaction.recognisers.date import DateRecogniser
from nlp_redaction.recognisers.driving_licence import DrivingLicenceRecogniser
from nlp_redaction.recognisers.email import EmailRecogniser
from nlp_redaction.recognisers.employer import EmployerName
from nlp_redaction.recognisers.hospital_number import HospitalNumberRecogniser
from nlp_redaction.recognisers.institution import InstitutionName
from nlp_redaction.recognisers.login import LoginRecogniser
from nlp_redaction.recognisers.name_by_absence import NameByAbsence
from nlp_redaction.recognisers.name_cues import CuedName, TitledName
from nlp_redaction.recognisers.name_forms import FormName, InvertedName
from nlp_redaction.recognisers.name_initials import InitialsRecogniser
from nlp_redaction.recognisers.national_insurance import NationalInsuranceRecogniser
from nlp_redaction.recognisers.nhs_number import NhsNumberRecogniser
from nlp_redaction.recognisers.passport import PassportRecogniser
from nlp_redaction.recognisers.phone import PhoneRecogniser
from nlp_redaction.recognisers.place import PlaceName
from nlp_redaction.recognisers.postcode import PostcodeRecogniser
from nlp_redaction.recognisers.professional_number import ProfessionalNumberRecogniser
from nlp_redaction.recognisers.url import UrlRecogniser
from nlp_redaction.recognisers.vehicle import VehicleRecogniser
from nlp_redaction.settings import Settings

if TYPE_CHECKING:
    from presidio_analyzer import RecognizerRegistry


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


def make_registry(settings: Settings | None = None) -> "RecognizerRegistry":
    """Return a registry for Presidio's own engine, without its default recognisers."""
    from presidio_analyzer import RecognizerRegistry  # noqa: PLC0415 - takes seconds

    from nlp_redaction.presidio import PresidioRecogniser  # noqa: PLC0415 - the same

    ours = [PresidioRecogniser(each) for each in list_recognisers(settings)]
    return RecognizerRegistry(recognizers=ours)
