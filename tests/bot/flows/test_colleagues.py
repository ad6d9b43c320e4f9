"""The practice's own people: inviting, roles, leaving, tokens."""

from dataclasses import replace

import pytest

from bot.flows import accounts, colleagues
from bot.flows.access import Me, NotHere
from bot.flows.context import Context
from bot.flows.managing import Refused
from bot.flows.settings import BadSetting
from bot.store import people, practices, sign_ins
from tests.support.cast import MONDAY_NOON, Riverside
from tests.support.managing import manager
from tests.support.weeks import weekly

NOW = MONDAY_NOON


@pytest.fixture
def dana(practice: Riverside) -> Me:
    return manager(practice.ctx, practice.practice, practice.staff["Dana"])


def refused(call: object, *args: object) -> dict[str, str]:
    with pytest.raises(Refused) as found:
        call(*args)  # type: ignore[operator]
    return found.value.problems


def roles(practice: Riverside, name: str) -> list[str]:
    with practice.ctx.store.transaction(write=False) as tx:
        return people.roles_of(tx, practice.practice.id, practice.staff[name])


def test_everyone_is_listed_with_what_they_do_and_leavers_last(practice: Riverside, dana: Me) -> None:
    colleagues.set_active(practice.ctx, dana, practice.staff["Ines"], False, NOW)
    found = colleagues.everyone(practice.ctx, dana)
    assert [(line.person.name, line.roles, line.clients) for line in found] == [
        ("Dana", ["duty", "manager"], 0),
        ("Theo", ["therapist"], 3),
        ("Ines", ["therapist"], 0),
    ]


def test_somebody_is_invited_by_mail(practice: Riverside, dana: Me) -> None:
    typed = {"name": "Noor", "email": "noor@riverside.example", "role": "supervisor"}
    done = colleagues.invite(practice.ctx, dana, typed, NOW)
    assert (done.new_person, done.mailed) == (True, True)
    assert practice.rows("select kind from outbox where person_id = :id", id=done.person_id) == [{"kind": "invitation"}]
    assert colleagues.invite_again(practice.ctx, dana, done.person_id, NOW).role == "supervisor"


@pytest.fixture
def without_mail(practice: Riverside) -> Context:
    """The same practice before anybody has set up mail."""
    return replace(practice.ctx, channels={})


def been_in(practice: Riverside, name: str) -> None:
    """Somebody has signed in before."""
    with practice.ctx.store.transaction() as tx:
        accounts.begin(tx, practice.practice.id, practice.staff[name], strong=False, how="link", browser="", now=NOW)


def test_without_mail_a_link_is_handed_on_for_somebody_who_never_came_in(
    practice: Riverside, dana: Me, without_mail: Context
) -> None:
    assert colleagues.invite_again(without_mail, dana, practice.staff["Theo"], NOW).link


def test_without_mail_nobody_is_handed_a_link_to_pages_with_answers(
    practice: Riverside, dana: Me, without_mail: Context
) -> None:
    """Though Theo never came in: whoever did in his place would read what his clients answered."""
    weekly(practice, "Ana", [(5, 4, 5)])
    typed = {"name": "Theo", "email": "theo@riverside.example", "role": "therapist"}
    assert "for them alone" in refused(colleagues.invite, without_mail, dana, typed, NOW)["email"]


def test_without_mail_nobody_is_handed_a_link_to_a_colleagues_own_pages(
    practice: Riverside, dana: Me, without_mail: Context
) -> None:
    """With it a manager would be Theo, and read what his clients wrote."""
    been_in(practice, "Theo")
    theo = practice.staff["Theo"]
    assert "for them alone" in refused(colleagues.invite_again, without_mail, dana, theo, NOW)[""]
    typed = {"name": "Theo", "email": "Theo@riverside.example", "role": "manager"}
    assert "for them alone" in refused(colleagues.invite, without_mail, dana, typed, NOW)["email"]
    assert roles(practice, "Theo") == ["therapist"]
    with pytest.raises(BadSetting, match="attune sign-in-link --forget"):
        accounts.forget_second_factor(without_mail, dana, theo, NOW)
    assert practice.rows("select 1 from sign_in_link") == []
    assert colleagues.invite_again(practice.ctx, dana, theo, NOW).mailed


def test_an_invitation_that_cannot_be_sent_says_why_at_its_field(practice: Riverside, dana: Me) -> None:
    invite = colleagues.invite
    assert set(refused(invite, practice.ctx, dana, {"name": "N", "email": "noor", "role": "manager"}, NOW)) == {"email"}
    assert set(refused(invite, practice.ctx, dana, {"name": "", "email": "n@r.example"}, NOW)) == {"name"}
    assert set(refused(invite, practice.ctx, dana, {"name": "N", "email": "n@r.example"}, NOW)) == {"role"}


def test_a_change_of_roles_ends_their_sessions(practice: Riverside, dana: Me) -> None:
    with practice.ctx.store.transaction() as tx:
        secret = sign_ins.start(tx, practice.practice.id, practice.staff["Ines"], True, "hers", NOW)
    assert colleagues.set_roles(practice.ctx, dana, practice.staff["Ines"], {"therapist", "supervisor"}, NOW)
    assert roles(practice, "Ines") == ["supervisor", "therapist"]
    with practice.ctx.store.transaction(write=False) as tx:
        assert sign_ins.find(tx, secret, NOW) is None
    assert not colleagues.set_roles(practice.ctx, dana, practice.staff["Ines"], {"therapist", "supervisor"}, NOW)


def test_roles_for_danger_are_not_touched_by_it(practice: Riverside, dana: Me) -> None:
    colleagues.set_roles(practice.ctx, dana, practice.staff["Dana"], {"manager", "supervisor", "duty", "second"}, NOW)
    assert roles(practice, "Dana") == ["duty", "manager", "supervisor"]


def test_the_last_manager_stays_one_and_stays(practice: Riverside, dana: Me) -> None:
    me = practice.staff["Dana"]
    assert "roles" in refused(colleagues.set_roles, practice.ctx, dana, me, set(), NOW)
    assert refused(colleagues.set_active, practice.ctx, dana, me, False, NOW)
    colleagues.set_roles(practice.ctx, dana, practice.staff["Ines"], {"therapist", "manager"}, NOW)
    assert colleagues.set_roles(practice.ctx, dana, me, set(), NOW)


def test_a_therapist_with_clients_keeps_the_role_until_they_are_moved(practice: Riverside, dana: Me) -> None:
    theo = practice.staff["Theo"]
    assert refused(colleagues.set_roles, practice.ctx, dana, theo, set(), NOW) == {
        "roles": "3 clients in care are theirs: move them to another therapist first."
    }


def test_a_leaver_is_signed_out_and_can_come_back(practice: Riverside, dana: Me) -> None:
    theo = practice.staff["Theo"]
    with practice.ctx.store.transaction() as tx:
        secret = sign_ins.start(tx, practice.practice.id, theo, True, "his", NOW)
    assert colleagues.set_active(practice.ctx, dana, theo, False, NOW)
    with practice.ctx.store.transaction(write=False) as tx:
        assert sign_ins.find(tx, secret, NOW) is None
    assert not colleagues.one(practice.ctx, dana, theo).person.active
    assert colleagues.set_active(practice.ctx, dana, theo, True, NOW)


def test_a_name_and_number_are_checked_and_changed(practice: Riverside, dana: Me) -> None:
    theo = practice.staff["Theo"]
    assert set(refused(colleagues.change, practice.ctx, dana, theo, {"name": " ", "phone": "1"}, NOW)) == {
        "name",
        "phone",
    }
    colleagues.change(practice.ctx, dana, theo, {"name": "Theo W.", "phone": "202-555-0177"}, NOW)
    found = colleagues.one(practice.ctx, dana, theo).person
    assert (found.name, found.phone, found.email) == ("Theo W.", "+12025550177", "theo@riverside.example")


def test_a_token_opens_appointments_until_it_is_revoked(practice: Riverside, dana: Me) -> None:
    token = colleagues.new_token(practice.ctx, dana, "front desk", NOW)
    with practice.ctx.store.transaction(write=False) as tx:
        assert practices.of_token(tx, token) == practice.practice.id
    [listed] = colleagues.tokens(practice.ctx, dana)
    assert (listed.name, listed.revoked_at) == ("front desk", None)
    colleagues.revoke(practice.ctx, dana, listed.id, NOW)
    with practice.ctx.store.transaction(write=False) as tx:
        assert practices.of_token(tx, token) is None
    with pytest.raises(NotHere):
        colleagues.revoke(practice.ctx, dana, listed.id, NOW)
    assert set(refused(colleagues.new_token, practice.ctx, dana, "", NOW)) == {"name"}


def test_another_practices_people_and_tokens_are_not_there(practice: Riverside, dana: Me) -> None:
    token = colleagues.new_token(practice.ctx, dana, "front desk", NOW)
    assert token
    [listed] = colleagues.tokens(practice.ctx, dana)
    with practice.ctx.store.transaction() as tx:
        other = practices.add(tx, "Hillside", NOW)
    stranger = Me(dana.person, other, frozenset({"manager"}), True, "s")
    for call in (
        lambda me: colleagues.one(practice.ctx, me, practice.staff["Theo"]),
        lambda me: colleagues.set_active(practice.ctx, me, practice.staff["Theo"], False, NOW),
        lambda me: colleagues.set_roles(practice.ctx, me, practice.staff["Theo"], {"manager"}, NOW),
        lambda me: colleagues.revoke(practice.ctx, me, listed.id, NOW),
    ):
        with pytest.raises(NotHere):
            call(stranger)
