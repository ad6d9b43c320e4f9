"""What the pages need: sign-in, sessions, rules for one therapist or client, verdicts on alerts and readings, one-tap
links, the signal's stored beliefs and learned models, a chained audit trail."""

STATEMENTS = [
    # --- sign-in
    """create table account (
        id text primary key references person(id),
        practice_id text not null references practice(id),
        password_hash text,
        totp_sealed text,
        totp_used {i64} not null default 0,
        recovery_sealed text,
        accepted_at {i64},
        created_at {i64} not null
    ) {strict}""",
    """create table passkey (
        id text primary key,
        practice_id text not null references practice(id),
        person_id text not null references person(id),
        credential_id text not null unique,
        public_key text not null,
        sign_count {i64} not null,
        name_sealed text not null,
        created_at {i64} not null,
        used_at {i64}
    ) {strict}""",
    "create index passkey_person on passkey (person_id)",
    """create table sign_in_link (
        id text primary key,
        practice_id text not null references practice(id),
        person_id text not null references person(id),
        purpose text not null,
        hash text not null unique,
        created_at {i64} not null,
        expires_at {i64} not null,
        used_at {i64}
    ) {strict}""",
    """create table new_address (
        id text primary key references person(id),
        practice_id text not null references practice(id),
        address_sealed text not null,
        hash text not null unique,
        asked_by text not null,
        created_at {i64} not null,
        ended_at {i64},
        changed_at {i64}
    ) {strict}""",
    """create table sign_in (
        id text primary key,
        practice_id text not null references practice(id),
        person_id text not null references person(id),
        hash text not null unique,
        strong {i64} not null default 0,
        browser_sealed text,
        created_at {i64} not null,
        seen_at {i64} not null,
        ended_at {i64}
    ) {strict}""",
    "create index sign_in_person on sign_in (person_id, ended_at)",
    """create table attempt_count (
        name text primary key,
        count {i64} not null,
        ends_at {i64} not null
    ) {strict}""",
    # --- people's own settings
    "alter table person add column one_false_alarm_in {i64}",
    "alter table person add column quiet_hours text",
    "alter table person add column digest text",
    "alter table person add column away_from {i64}",
    "alter table person add column away_until {i64}",
    "alter table person add column cover_id text references person(id)",
    # --- clients
    "alter table client add column discreet {i64} not null default 0",
    "alter table client add column digits text",
    "alter table client add column merged_into text references client(id)",
    "alter table client add column erased_at {i64}",
    "alter table client add column talked_at {i64}",
    # --- rules for one therapist or one client, and what was changed
    """create table schedule_rule (
        practice_id text not null references practice(id),
        scope text not null,
        scope_id text not null,
        schedule text not null,
        primary key (practice_id, scope, scope_id)
    ) {strict}""",
    """create table schedule_change (
        id text primary key,
        practice_id text not null references practice(id),
        seq {i64} not null,
        scope text not null,
        scope_id text not null,
        before text not null,
        after text not null,
        by_id text references person(id),
        at {i64} not null,
        undone_at {i64}
    ) {strict}""",
    "create unique index schedule_change_seq on schedule_change (practice_id, seq)",
    # --- alerts: what came of them
    "alter table alert add column inbox_id text references inbox(id)",
    "alter table alert add column done_sealed text",
    "alter table alert add column verdict text",
    "alter table alert add column verdict_at {i64}",
    "alter table alert add column verdict_by text references person(id)",
    # --- replies: another reading of the same words
    """create table reading_mark (
        id text primary key,
        practice_id text not null references practice(id),
        inbox_id text not null references inbox(id),
        what text not null,
        by_id text not null references person(id),
        at {i64} not null,
        before_sealed text,
        after_sealed text
    ) {strict}""",
    "create index reading_mark_inbox on reading_mark (inbox_id, at)",
    # --- a client's own rows: by practice and client, lest an index of the whole practice looks as good as m0001's
    "create index appointment_of_client on appointment (practice_id, client_id, starts_at)",
    "create index check_in_of_client on check_in (practice_id, client_id, due_at)",
    "create index client_of_therapist on client (practice_id, therapist_id, client_ref)",
    "drop index client_therapist",
    "create index suppression_address on suppression (address_index)",  # asked for at every text, over all practices
    "create index alert_of_therapist on alert (practice_id, therapist_id, opened_at, id)",
    # --- one-tap answers; addresses that mail came back from
    """create table answer_link (
        hash text primary key,
        practice_id text not null references practice(id),
        check_in_id text not null references check_in(id),
        client_id text not null references client(id),
        created_at {i64} not null
    ) {strict}""",
    "create index answer_link_check_in on answer_link (check_in_id)",
    "create index answer_link_client on answer_link (client_id)",
    """create table undeliverable (
        id text primary key,
        practice_id text not null references practice(id),
        address_sealed text not null,
        address_index text not null,
        at {i64} not null,
        unique (practice_id, address_index)
    ) {strict}""",
    # --- the signal
    """create table belief (
        id text primary key,
        practice_id text not null references practice(id),
        client_id text not null references client(id),
        therapist_id text not null references person(id),
        belief_sealed text not null,
        model_id text not null,
        updated_at {i64} not null,
        unique (practice_id, client_id, therapist_id)
    ) {strict}""",
    "create index belief_therapist on belief (practice_id, therapist_id)",
    """create table model (
        id text primary key,
        practice_id text not null references practice(id),
        state text not null,
        parameters text not null,
        facts text not null,
        created_at {i64} not null,
        takes_effect_at {i64},
        ended_at {i64}
    ) {strict}""",
    "create index model_practice on model (practice_id, state)",
    # --- the managers' pages: by time, files that wait to be confirmed, months that are closed
    # time first: an index that began with the practice would draw queries about one client away from theirs
    "create index appointment_ended on appointment (ends_at, practice_id)",
    "create index check_in_due_at on check_in (due_at, practice_id)",
    "create index outbox_created on outbox (created_at, practice_id, channel, state, segments)",
    "create index outbox_tests on outbox (practice_id, state) where kind = 'test_text'",
    "create index outbox_question on outbox (check_in_id, kind, created_at, id, channel, delivery)",
    "drop index outbox_check_in",  # the one above begins with the same
    "create index consent_event_what on consent_event (what, at)",
    "create index inbox_kind on inbox (kind, received_at)",
    """create table import_draft (
        id text primary key,
        practice_id text not null references practice(id),
        person_id text not null references person(id),
        kind text not null,
        file_sealed text,
        shown_sealed text,
        created_at {i64} not null,
        taken_at {i64}
    ) {strict}""",
    "create index import_draft_practice on import_draft (practice_id, created_at)",
    """create table group_month (
        practice_id text not null references practice(id),
        month text not null,
        cut text not null,
        feeling text not null,
        clients {i64},
        answers {i64},
        total {i64},
        why text,
        primary key (practice_id, month, cut, feeling)
    ) {strict}""",
    # --- the audit trail, each row chained to the one before
    "alter table audit add column seq {i64}",
    "alter table audit add column chain text",
    "alter table audit add column said {i64}",
    "create unique index audit_seq on audit (practice_id, seq)",
]
