"""Validation of addresses, names, notes, lifetimes and origins, without a database."""

from datetime import timedelta

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from invite_app.errors import (
    DomainError,
    DomainNotAllowed,
    InvalidEmail,
    InvalidLifetime,
    InvalidName,
    InvalidNote,
    InvalidSetting,
)
from invite_app.services import validation

ODD_CHARACTERS = ["\x00", "\n", "\r", "\t", "\x7f", "\u2028", "\u202e", "\u200b", "\ufeff", "\ud800", "\u00ad"]
DOMAINS = ["guest.example", "GUEST.Example", "straße.de", "x..y", "-a.com", "com", "a" * 64 + ".com", "1.2.3.4", ""]


class TestEmail:
    @pytest.mark.parametrize(
        ("typed", "normalized"),
        [
            ("ana@guest.example", "ana@guest.example"),
            ("  Ana@Guest.Example ", "ana@guest.example"),
            ("ANA+Tag@GUEST.EXAMPLE", "ana+tag@guest.example"),
            ("o'neill@guest.example", "o'neill@guest.example"),
            ("ana@bücher.example", "ana@xn--bcher-kva.example"),
            ("ana@BÜCHER.example", "ana@xn--bcher-kva.example"),
            ("ana@XN--BCHER-KVA.example", "ana@xn--bcher-kva.example"),
            ("ana@straße.example", "ana@xn--strae-oqa.example"),
            ("ana@strasse.example", "ana@strasse.example"),
            ("ana@guest。example", "ana@guest.example"),
        ],
    )
    def test_has_one_normal_form(self, typed: str, normalized: str) -> None:
        assert validation.email(typed) == normalized
        assert validation.email(normalized) == normalized

    @pytest.mark.parametrize(
        "typed",
        [
            *("", " ", "ana", "@guest.example", "ana@", "ana@guest", "ana@@guest.example", "a b@guest.example"),
            *("straße@guest.example", "ﬁn@guest.example", "\u212aana@guest.example", "\uff41na@guest.example"),
            *("ana@guest.example, bo@guest.example", "ana@guest.example;bo@guest.example"),
            *("Ana <ana@guest.example>", "<ana@guest.example>", '"ana b"@guest.example', "ana@[127.0.0.1]"),
            *(
                "ana@guest..example",
                "ana@-guest.example",
                ".ana@guest.example",
                "ana.@guest.example",
                "a..b@x.example",
            ),
            *("ana\r\nBcc: bo@guest.example@guest.example", "ana@guest.example\r\nBcc: bo@guest.example"),
            *("ana@" + "x" * 64 + ".example", "ana@" + "x.y" * 90 + ".example"),
            *(f"a{odd}na@guest.example" for odd in ODD_CHARACTERS),
            *(f"ana@gu{odd}est.example" for odd in ODD_CHARACTERS if odd not in "\u00ad\u200b\ufeff"),
        ],
    )
    def test_is_refused(self, typed: str) -> None:
        with pytest.raises(InvalidEmail):
            validation.email(typed)

    def test_sharp_s_is_not_double_s(self) -> None:
        with pytest.raises(InvalidEmail):
            validation.email("straße@guest.example")
        assert validation.email("strasse@guest.example") == "strasse@guest.example"

    @given(local=st.text("aZ.0_+-'é", min_size=1, max_size=66), domain=st.sampled_from(DOMAINS))
    def test_matches_the_librarys_result(self, local: str, domain: str) -> None:
        typed = f"{local}@{domain}"
        try:
            wanted = validate_email(typed, check_deliverability=False, allow_smtputf8=False).ascii_email
        except EmailNotValidError:
            wanted = None
        try:
            found = validation.email(typed)
        except InvalidEmail:
            found = None
        assert found == (wanted and wanted.lower())

    @given(st.text(max_size=300) | st.emails())
    def test_arbitrary_text_is_refused_or_normalized(self, typed: str) -> None:
        try:
            normal = validation.email(typed)
        except InvalidEmail:
            return
        assert normal == normal.lower()
        assert normal.isascii()
        assert len(normal) <= 254
        assert validation.email(normal) == normal


class TestDomains:
    def test_any_is_allowed_without_a_list(self) -> None:
        validation.check_domain_allowed("ana@guest.example", [])

    def test_only_listed_domains_are_allowed(self) -> None:
        validation.check_domain_allowed("ana@guest.example", ["acme.example", "guest.example"])

    @pytest.mark.parametrize("address", ["ana@evil-guest.example", "ana@sub.guest.example", "ana@guest.example.evil"])
    def test_other_domains_are_refused(self, address: str) -> None:
        with pytest.raises(DomainNotAllowed, match=r"guest\.example"):
            validation.check_domain_allowed(address, ["guest.example"])


class TestName:
    @pytest.mark.parametrize(
        "name", ["A", "  Ana  ", "x" * 100, "José", "李", "नमस्\u200dते", "<b>Ana</b>", "O'Neill 😀"]
    )
    def test_is_accepted_and_trimmed(self, name: str) -> None:
        assert validation.name(name, "name", "a name") == name.strip()

    @pytest.mark.parametrize("name", ["", " ", "\u00a0", "x" * 101, *(f"A{odd}na" for odd in ODD_CHARACTERS)])
    def test_is_refused(self, name: str) -> None:
        with pytest.raises(InvalidName) as refused:
            validation.name(name, "given_name", "a given name")
        assert refused.value.field == "given_name"

    def test_growing_under_casefolding_is_refused(self) -> None:
        with pytest.raises(InvalidName):
            validation.name("\ufdfa" * 100, "name", "a name")


class TestNote:
    @pytest.mark.parametrize("note", ["", "Hello\nAna\twelcome", "x" * 1000, "Grüße 😀"])
    def test_is_accepted(self, note: str) -> None:
        assert validation.note(note) == note

    def test_has_unix_line_ends(self) -> None:
        assert validation.note("a\r\nb\r\n") == "a\nb"

    @pytest.mark.parametrize("note", ["x" * 1001, *(f"a{odd}b" for odd in ODD_CHARACTERS if odd not in "\n\t")])
    def test_is_refused(self, note: str) -> None:
        with pytest.raises(InvalidNote):
            validation.note(note)


class TestLifetime:
    @pytest.mark.parametrize("lifetime", [timedelta(hours=1), timedelta(days=7), timedelta(days=365)])
    def test_is_accepted(self, lifetime: timedelta) -> None:
        assert validation.lifetime(lifetime) == lifetime

    @pytest.mark.parametrize("seconds", [0, -1, 3599, 365 * 86400 + 1])
    def test_is_refused(self, seconds: int) -> None:
        with pytest.raises(InvalidLifetime):
            validation.lifetime(timedelta(seconds=seconds))


class TestOrigin:
    @pytest.mark.parametrize(
        ("url", "origin"),
        [
            ("https://app.example.com", "https://app.example.com"),
            ("HTTPS://APP.example.COM/path?q#f", "https://app.example.com"),
            ("https://app.example.com:443/", "https://app.example.com"),
            ("http://app.example.com:80", "http://app.example.com"),
            ("http://app.example.com:443", "http://app.example.com:443"),
            ("https://app.example.com:8443/x", "https://app.example.com:8443"),
            ("http://[::1]:3000/x", "http://[::1]:3000"),
            ("http://[2001:DB8::1]/", "http://[2001:db8::1]"),
            ("https://app.example.com:0/", "https://app.example.com:0"),
            ("https://Bücher.example/x", "https://xn--bcher-kva.example"),
            ("http://my_app.internal", "http://my_app.internal"),
        ],
    )
    def test_has_one_normal_form(self, url: str, origin: str) -> None:
        assert validation.origin(url) == origin

    @pytest.mark.parametrize(
        "url",
        [
            *("", "app.example.com", "//app.example.com", "/path", "javascript:alert(1)", "ftp://app.example.com"),
            *("https://", "https:///app.example.com", "https:app.example.com", "https://user@app.example.com"),
            *("https://app.example.com@evil.example", "https://:@app.example.com", "https://@app.example.com"),
            *(
                "https://app.example.com\\@evil.example",
                "https:\\\\app.example.com",
                "https://evil.example\\.app.example",
            ),
            *(
                "https://app.example.com:70000",
                "https://app.example.com:x",
                "http://[::1",
                "https://app\uff0fevil.example",
            ),
            *(
                "https://app.exa\nmple.com",
                "https://app.example.com\t",
                "https://app.example.com/\x00",
                "data:text/html,x",
            ),
            *("https://a;script-src", "https://a b.example", "https://a,b", "https://a'b", "http://[v1.x;y]"),
        ],
    )
    def test_other_than_plain_web_addresses_is_none(self, url: str) -> None:
        assert validation.origin(url) is None

    @pytest.mark.parametrize(
        "url", ["https://app.example.com.", "https://app.example.com.evil.example", "https://app"]
    )
    def test_of_a_lookalike_is_different(self, url: str) -> None:
        assert validation.origin(url) != "https://app.example.com"

    @given(st.text(max_size=50))
    def test_normalizing_twice_changes_nothing(self, text: str) -> None:
        for url in (text, f"https://{text}", f"https://app.example.com{text}"):
            if (origin := validation.origin(url)) is not None:
                assert validation.origin(origin) == origin

    @pytest.mark.parametrize(
        "text", ["https://app.example.com", " https://APP.example.com/ ", "https://app.example.com:443"]
    )
    def test_setting_is_stored_in_normal_form(self, text: str) -> None:
        assert validation.allowed_origin(text) == "https://app.example.com"

    @pytest.mark.parametrize(
        "text", ["*", "https://*", "app.example.com", "https://app.example.com/path", "https://a.b?q"]
    )
    def test_setting_is_refused(self, text: str) -> None:
        with pytest.raises(InvalidSetting):
            validation.allowed_origin(text)


def test_every_error_is_a_domain_error_with_message() -> None:
    with pytest.raises(DomainError, match=r"like name@example\.com"):
        validation.email("no")
