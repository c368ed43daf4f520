"""Why: the closed lists of reasons and obligations, and what each says to a person, in two languages."""

import json
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any

from licensing.dialled import NumberFault


class Reason(StrEnum):
    """The one primary reason of a decision."""

    OK_NO_PERMIT_REQUIRED = "OK_NO_PERMIT_REQUIRED"
    OK_GENERAL_AUTHORISATION = "OK_GENERAL_AUTHORISATION"
    OK_PERMIT_COVERS = "OK_PERMIT_COVERS"
    OK_NOT_A_PUBLIC_SERVICE = "OK_NOT_A_PUBLIC_SERVICE"
    OK_ALL_JURISDICTIONS = "OK_ALL_JURISDICTIONS"
    EMERGENCY_CARRIED = "EMERGENCY_CARRIED"
    EMERGENCY_OVERRIDE = "EMERGENCY_OVERRIDE"
    DENY_NO_PERMIT = "DENY_NO_PERMIT"
    DENY_CATEGORY_NOT_COVERED = "DENY_CATEGORY_NOT_COVERED"
    DENY_PERMIT_SUBSCOPE = "DENY_PERMIT_SUBSCOPE"
    DENY_HOLDER_MISMATCH = "DENY_HOLDER_MISMATCH"
    DENY_PARTNER_PERMIT_NOT_ACCEPTED = "DENY_PARTNER_PERMIT_NOT_ACCEPTED"
    DENY_PERMIT_REVOKED = "DENY_PERMIT_REVOKED"
    DENY_PERMIT_NOT_YET_VALID = "DENY_PERMIT_NOT_YET_VALID"
    DENY_PERMIT_EXPIRED = "DENY_PERMIT_EXPIRED"
    DENY_PERMIT_SUSPENDED = "DENY_PERMIT_SUSPENDED"
    DENY_REGION_NOT_COVERED = "DENY_REGION_NOT_COVERED"
    DENY_PERMIT_UNVERIFIED = "DENY_PERMIT_UNVERIFIED"
    DENY_SERVICE_DISABLED = "DENY_SERVICE_DISABLED"
    DENY_SERVICE_PROHIBITED = "DENY_SERVICE_PROHIBITED"
    DENY_NO_RULE_FOR_CLASS = "DENY_NO_RULE_FOR_CLASS"
    DENY_JURISDICTION_UNKNOWN = "DENY_JURISDICTION_UNKNOWN"
    DENY_FACTS_INSUFFICIENT = "DENY_FACTS_INSUFFICIENT"
    DENY_MANDATORY_CAPABILITY_MISSING = "DENY_MANDATORY_CAPABILITY_MISSING"
    DENY_REGISTERED_LOCATION_MISSING = "DENY_REGISTERED_LOCATION_MISSING"
    DENY_IDENTITY_NOT_VERIFIED = "DENY_IDENTITY_NOT_VERIFIED"
    DENY_CLI_NOT_VERIFIED = "DENY_CLI_NOT_VERIFIED"
    DENY_CLI_DOMESTIC_FROM_ABROAD = "DENY_CLI_DOMESTIC_FROM_ABROAD"
    DENY_FRAUD_RANGE_BLOCKED = "DENY_FRAUD_RANGE_BLOCKED"
    DENY_EMERGENCY_NOT_SUPPORTED = "DENY_EMERGENCY_NOT_SUPPORTED"
    # The gate's own: the law was not asked, or its answer could not be put into effect.
    DENY_REGISTER_STALE = "DENY_REGISTER_STALE"
    DENY_JOURNAL_UNAVAILABLE = "DENY_JOURNAL_UNAVAILABLE"
    DENY_CLOCK_UNSOUND = "DENY_CLOCK_UNSOUND"
    DENY_GATE_FAILED = "DENY_GATE_FAILED"
    DENY_TELEPHONE_SWITCHED_OFF = "DENY_TELEPHONE_SWITCHED_OFF"
    DENY_GRANT_NOT_VALID = "DENY_GRANT_NOT_VALID"
    DENY_EVIDENCE_LOST = "DENY_EVIDENCE_LOST"


class Obligation(StrEnum):
    """A duty: for this very call, or standing."""

    CLI_TRUTHFUL = "CLI_TRUTHFUL"
    CLI_VALID = "CLI_VALID"
    CLI_ATTEST_A = "CLI_ATTEST_A"
    CLI_ATTEST_B = "CLI_ATTEST_B"
    CLI_ATTEST_C = "CLI_ATTEST_C"
    ROUTE_LICENSED_TRUNK = "ROUTE_LICENSED_TRUNK"
    ROUTE_INTL_GATEWAY = "ROUTE_INTL_GATEWAY"
    EMERGENCY_ROUTE = "EMERGENCY_ROUTE"
    EMERGENCY_LOCATION = "EMERGENCY_LOCATION"
    NO_CHARGE = "NO_CHARGE"
    EMERGENCY_GUIDE_USER = "EMERGENCY_GUIDE_USER"
    AUDIT_ALERT = "AUDIT_ALERT"
    RECORDING_NOTICE = "RECORDING_NOTICE"
    RECORDING_BLOCKED_UNTIL_ALL_CONSENT = "RECORDING_BLOCKED_UNTIL_ALL_CONSENT"
    SMS_CONSENT = "SMS_CONSENT"
    SMS_OPT_OUT = "SMS_OPT_OUT"
    REAL_NAME = "REAL_NAME"
    RETAIN_NETLOG_6M = "RETAIN_NETLOG_6M"
    RETAIN_CDR_5M = "RETAIN_CDR_5M"
    RETAIN_CDR_18M = "RETAIN_CDR_18M"
    RETAIN_CDR_24M = "RETAIN_CDR_24M"
    TARIFF_PUBLISH = "TARIFF_PUBLISH"
    ANNUAL_REPORT_Q1 = "ANNUAL_REPORT_Q1"
    LI_READY = "LI_READY"
    CPNI = "CPNI"
    DATA_LOCALISATION = "DATA_LOCALISATION"
    PERMIT_RENEWAL_DUE = "PERMIT_RENEWAL_DUE"
    DEEMED_RENEWAL_RELIED_ON = "DEEMED_RENEWAL_RELIED_ON"
    UNCERTAIN_LAW = "UNCERTAIN_LAW"


class Alternative(StrEnum):
    """What this installation can do instead; offered only where `decide` allows it for the same people."""

    APP_CALL = "app_call"
    APP_AUDIO = "app_audio"
    APP_TEXT = "app_text"


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence for a person, in English and 简体中文."""

    en: str
    zh_cn: str

    def to_json(self) -> dict[str, str]:
        """Keyed by language tag (RFC 5646)."""
        return {"en": self.en, "zh-CN": self.zh_cn}


_TEXTS: dict[str, dict[str, Any]] = json.loads(files("licensing").joinpath("texts.json").read_text("utf-8"))
_REASONS = {Reason(code): Text(text["en"], text["zh-CN"]) for code, text in _TEXTS["reasons"].items()}
_FAULTS = {
    NumberFault(code): Text(text["en"], text["zh-CN"]) for code, text in _TEXTS["number_faults"].items()
}
_ALTERNATIVES = {
    Alternative(code): Text(text["en"], text["zh-CN"]) for code, text in _TEXTS["alternatives"].items()
}
_PER_CALL = frozenset(Obligation(code) for code, o in _TEXTS["obligations"].items() if o["kind"] == "call")


def reason_text(reason: Reason) -> Text:
    return _REASONS[reason]


def fault_text(fault: NumberFault) -> Text:
    return _FAULTS[fault]


def alternative_text(alternative: Alternative) -> Text:
    """What to do instead; whether the other person has the app is not known."""
    return _ALTERNATIVES[alternative]


def obligation_text(obligation: Obligation) -> str:
    """English only: obligations are read by operators."""
    text: str = _TEXTS["obligations"][obligation.value]["en"]
    return text


def is_per_call(obligation: Obligation) -> bool:
    """Something must be done for this very call, rather than by the operator at large."""
    return obligation in _PER_CALL
