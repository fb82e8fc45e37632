"""Messages about hours: what they say, when they are told again, and how they go out."""

import logging
import ssl
from datetime import date
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from resources.notifier import EnvironmentNotifier, LogNotifier, SmtpNotifier, notifier
from tests.hours.mail_server import HOST, certificate, mail_server
from tests.hours.small_school import YEAR, Row
from tests.year_builder import LEIJPARK, SIZA
from zio_pipeline.hours.alerts import Alert, alerts, serious_in_words
from zio_pipeline.hours.missing import APPROVE, FORWARD, HAND_IN, OWED_BY
from zio_pipeline.hours.signals import SEVERITY, signal_row

TODAY, LATER = date(2025, 11, 11), date(2025, 11, 12)


def signal(kind: str = "duplicate_line", month: str = "2025-10", **values: Any) -> Row:
    place = {"month": month, "week": "2025-W41", "school": LEIJPARK, "class_code": "EMB1", "provider": SIZA}
    counts = {"line_count": 2, "minutes": 60, "row_refs": "provider_timesheets-1:3"}
    return signal_row(kind, YEAR, "Zin.", **place | counts | values)


def owed(step: str = HAND_IN, week: str = "2025-W41", month: str = "2025-10", class_code: str = "EMB1") -> Row:
    party = SIZA if OWED_BY[step] == "provider" else LEIJPARK
    place = {"month": month, "week": week, "school": LEIJPARK, "class_code": class_code}
    return place | {"step": step, "party": party}


def told(signals: list[Row], missing: list[Row], as_of: date = TODAY, **more: Any) -> list[Alert]:
    return alerts(signals, missing, YEAR, as_of, **{"fictitious": False} | more)


def test_nothing_to_tell() -> None:
    """A warning or a fact worth knowing is in the table; it wakes nobody."""
    quiet = [signal(kind) for kind, severity in SEVERITY.items() if severity != "serious"]
    assert quiet
    assert told(quiet, []) == []


def test_a_message_says_what_is_owed_by_whom_and_what_to_do() -> None:
    missing = [owed(), owed(week="2025-W42"), owed(APPROVE, class_code="EMB2"), owed(FORWARD, class_code="EMB3")]
    (alert,) = told([signal()], missing)
    assert alert.subject == (
        "ZiO uren 2025-10: 2 klasweken niet ingeleverd, 1 niet akkoord, 1 niet doorgestuurd, 1 ernstig signaal"
    )
    assert alert.body.splitlines() == [
        "Uren van 2025-10 in schooljaar 2025-2026, zoals het stond op 11-11-2025.",
        "",
        "Niet ingeleverd. Wat te doen: de aanbieder levert de urenstaat met deze weken aan; daarna innemen (zio run of de inbox).",
        f"- Aanbieder {SIZA} (vestiging {LEIJPARK}): 2025-W41 (EMB1), 2025-W42 (EMB1).",
        "",
        "Nog niet akkoord. Wat te doen: de school keurt de urenstaat goed, of geeft de aanbieder door wat niet klopt.",
        f"- School {LEIJPARK}: 2025-W41 (EMB2).",
        "",
        "Nog niet doorgestuurd. Wat te doen: de school stuurt de goedgekeurde urenstaat door.",
        f"- School {LEIJPARK}: 2025-W41 (EMB3).",
        "",
        "Ernstige signalen:",
        f"- dubbele regels: aanbieder {SIZA}, vestiging {LEIJPARK}: 1. Wat te doen: de aanbieder neemt de dubbele regels weg.",
        "",
        "Klas, week en regels staan in de tabellen hour_signals en missing_statements.",
        "Na herstel: zio hours --school-year 2025-2026 --month 2025-10 --as-of <dag>, en dan zio signals "
        "--school-year 2025-2026 --month 2025-10 --as-of <dag> --notify.",
        "In dit bericht staan geen persoonsgegevens.",
    ]
    assert (alert.missing_weeks, alert.serious_signals) == (4, 1)


def test_every_serious_kind_has_words_and_no_row_reference_goes_out() -> None:
    (alert,) = told([signal(kind) for kind, severity in SEVERITY.items() if severity == "serious"], [])
    assert alert.body.count("Wat te doen:") == 5
    assert "provider_timesheets-1:3" not in alert.body


def test_a_fictitious_year_says_so() -> None:
    (alert,) = told([signal()], [], fictitious=True)
    assert alert.subject.startswith("[fictief] ")


def test_a_message_per_month() -> None:
    months = [alert.month for alert in told([signal()], [owed(month="2025-09"), owed()])]
    assert months == ["2025-09", "2025-10"]
    assert [alert.month for alert in told([signal()], [owed(month="2025-09")], month="2025-09")] == ["2025-09"]


def test_what_waits_for_approval_only_is_not_missing() -> None:
    (alert,) = told([], [owed(APPROVE)])
    assert alert.subject == (
        "ZiO uren 2025-10: 0 klasweken niet ingeleverd, 1 niet akkoord, 0 niet doorgestuurd, 0 ernstige signalen"
    )


def test_a_week_in_two_months_counts_once() -> None:
    """W40: of EMB1 both parts are owed, of EMB2 the part in October only. Both messages name what must be done in that month."""
    parts = [owed(week="2025-W40", month=month) for month in ("2025-10", "2025-09")]
    september, october = told([], [*parts, owed(week="2025-W40", class_code="EMB2")])
    assert "09: 1 klasweek niet ingeleverd," in september.subject
    assert "10: 1 klasweek niet ingeleverd," in october.subject
    assert "2025-W40 (EMB1)." in september.body
    assert "2025-W40 (EMB1, EMB2)." in october.body
    once = "Een week die in twee maanden ligt, telt in het onderwerp alleen bij de eerste maand."
    assert [once in alert.body for alert in (september, october)] == [False, True]
    assert [alert.missing_weeks for alert in (september, october)] == [1, 2]
    approved_later = [owed(week="2025-W40", month="2025-09"), owed(APPROVE, week="2025-W40")]
    assert [alert.subject[len("ZiO uren ") :].split(", ")[:2] for alert in told([], approved_later)] == [
        ["2025-09: 1 klasweek niet ingeleverd", "0 niet akkoord"],
        ["2025-10: 0 klasweken niet ingeleverd", "1 niet akkoord"],
    ]


def test_a_month_that_is_well_again_is_told_shortly() -> None:
    (alert,) = told([], [], troubled=["2025-10"], fictitious=True)
    assert alert.subject == "[fictief] ZiO uren 2025-10: weer in orde"
    assert "U hoeft niets te doen." in alert.body
    assert (alert.missing_weeks, alert.serious_signals) == (0, 0)
    assert told([], [], troubled=["2025-10"], month="2025-09") == []
    (still,) = told([signal()], [], troubled=["2025-10"])
    assert "weer in orde" not in still.subject


def test_outside_the_table_signals_are_only_counted() -> None:
    """A class has few people: what a signal says of its lines, and how many there are, is for those who may read the table."""
    kinds = [kind for kind, severity in SEVERITY.items() if severity == "serious"]
    more = signal("over_twelve_hours", week="2025-W42"), signal("sudden_change")
    secrets = {"line_count": 987, "minutes": 6543, "row_refs": "urenstaat:3"}
    words = serious_in_words([row | secrets for row in (*map(signal, kinds), *more)])
    where, read = (
        f"aanbieder {SIZA}, vestiging {LEIJPARK}",
        "Klas en regels staan in de tabel hour_signals (vertrouwelijk).",
    )
    assert len(words) == len(kinds)
    assert words[0] == f"Dubbele regels: {where}: 1. Wat te doen: de aanbieder neemt de dubbele regels weg. {read}"
    assert [f"{where}: 2. " in sentence for sentence in words] == [False, True, False, False, False]
    assert words[1].startswith("Meer dan 12 uur op een dag: ")
    said = " ".join(words)
    assert not [
        secret for secret in ("Zin.", "EMB1", "2025-W4", "987", "6543", "109:03", "urenstaat:3") if secret in said
    ]


def test_nothing_serious_is_nothing_to_say() -> None:
    assert serious_in_words([signal("sudden_change"), signal("outside_open_days")]) == []


def key(signals: list[Row], missing: list[Row], as_of: date = TODAY) -> str:
    (alert,) = told(signals, missing, as_of)
    return alert.key


def test_the_key_is_the_state_of_the_month_and_not_the_day() -> None:
    state = key([signal()], [owed(), owed(week="2025-W42")])
    assert state == key([signal()], [owed(week="2025-W42"), owed()], LATER)
    assert state == key([signal(row_refs="other:7")], [owed(), owed(week="2025-W42")]), (
        "the same lines in a corrected file"
    )
    others = [
        key([signal()], [owed()]),
        key([signal()], [owed(), owed(APPROVE, "2025-W42")]),
        key([signal(line_count=3)], [owed(), owed(week="2025-W42")]),
        key([signal(), signal("unknown_class")], [owed(), owed(week="2025-W42")]),
        key([], [owed(), owed(week="2025-W42")]),
        key([signal(month="2025-09")], [owed(month="2025-09"), owed(week="2025-W42", month="2025-09")]),
    ]
    assert len({state, *others}) == 1 + len(others)


# --- sending --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return certificate(tmp_path_factory.mktemp("tls"))


def by_mail(port: int, context: ssl.SSLContext | None) -> SmtpNotifier:
    return SmtpNotifier(HOST, port, "zio@example.org", ("a@example.org", "b@example.org"), context=context)


def test_mail_goes_out_over_tls(contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    (alert,) = told([signal()], [owed()])
    with mail_server(contexts[0]) as server:
        assert by_mail(server.port, contexts[1]).send(alert.subject, alert.body)
    ((message, secure),) = server.received
    assert secure
    assert message["Subject"] == alert.subject
    assert (message["From"], message["To"]) == ("zio@example.org", "a@example.org, b@example.org")
    assert parsedate_to_datetime(message["Date"]).tzinfo is not None
    assert message["Message-ID"].endswith("@example.org>"), "and not the name of this machine"
    assert message.get_content().replace("\r\n", "\n").rstrip("\n") == alert.body


def failed(caplog: pytest.LogCaptureFixture) -> str:
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    return record.getMessage()


def test_without_tls_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with mail_server(None) as server:
        assert not by_mail(server.port, None).send("onderwerp", "inhoud")
    assert server.received == []
    assert "SMTPNotSupportedError" in failed(caplog)


def test_a_server_that_cannot_be_trusted_gets_nothing(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], caplog: pytest.LogCaptureFixture
) -> None:
    with mail_server(contexts[0]) as server:
        assert not by_mail(server.port, None).send("onderwerp", "inhoud")
    assert server.received == []
    assert "SSLCertVerificationError" in failed(caplog)


def test_a_refusal_and_an_unreachable_server_are_in_the_log_and_stop_nothing(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], caplog: pytest.LogCaptureFixture
) -> None:
    with mail_server(contexts[0], refuse=True) as server:
        assert not by_mail(server.port, contexts[1]).send("onderwerp", "inhoud")
    assert "SMTPSenderRefused" in failed(caplog)
    caplog.clear()
    assert not by_mail(server.port, contexts[1]).send("onderwerp", "inhoud"), "nobody is there any more"
    assert "ConnectionRefusedError" in failed(caplog)
    assert "example.org" not in caplog.text


def test_the_log_is_the_default(caplog: pytest.LogCaptureFixture) -> None:
    way = notifier({})
    assert (way, way.channel) == (LogNotifier(), "log")
    assert way.send("onderwerp", "inhoud")
    assert "onderwerp\ninhoud" in caplog.text


SMTP = {
    "ZIO_SMTP_HOST": "mail.example.org",
    "ZIO_SMTP_FROM": "zio@example.org",
    "ZIO_SMTP_TO": "a@example.org, b@example.org",
}


def test_mail_when_the_environment_names_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = ("a@example.org", "b@example.org")
    assert notifier(SMTP) == SmtpNotifier("mail.example.org", 587, "zio@example.org", addresses)
    with_more = SMTP | {"ZIO_SMTP_PORT": "465", "ZIO_SMTP_USER": "zio", "ZIO_SMTP_PASSWORD": "geheim"}
    made = notifier(with_more)
    assert made == SmtpNotifier("mail.example.org", 465, "zio@example.org", addresses, "zio", "geheim")
    assert "geheim" not in repr(made)
    monkeypatch.delenv("ZIO_SMTP_HOST", raising=False)
    assert EnvironmentNotifier().channel == "log"
    for name, value in SMTP.items():
        monkeypatch.setenv(name, value)
    assert EnvironmentNotifier().channel == "mail"


@pytest.mark.parametrize(
    "wrong",
    [{"ZIO_SMTP_FROM": ""}, {"ZIO_SMTP_TO": " , "}, {"ZIO_SMTP_PORT": "x"}, {"ZIO_SMTP_PORT": "65536"}],
    ids=str,
)
def test_a_half_configured_server_is_an_error_and_the_message_goes_to_the_log(
    wrong: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    assert notifier(SMTP | wrong) == LogNotifier()
    assert "ZIO_SMTP_HOST is ingesteld" in failed(caplog)


def test_a_subject_cannot_carry_another_header(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], caplog: pytest.LogCaptureFixture
) -> None:
    """It is made of codes and numbers; should it ever not be, nothing goes out."""
    with mail_server(contexts[0]) as server:
        assert not by_mail(server.port, contexts[1]).send("a\r\nBcc: x@example.org", "b")
    assert server.received == []
    assert "\n" not in failed(caplog)
