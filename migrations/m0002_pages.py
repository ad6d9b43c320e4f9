"""What the pages need: sign-in, sessions, rules for one therapist or client, verdicts on alerts and readings, one-tap
links, the signal's stored beliefs and learned models, a chained audit trail."""

STATEMENTS = [
    # --- sign-in
    """create table account (
        person_id text primary key references person(id),
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
        scope text not null,
        scope_id text not null,
        before text not null,
        after text not null,
        by_id text references person(id),
        at {i64} not null,
        undone_at {i64}
    ) {strict}""",
    "create index schedule_change_practice on schedule_change (practice_id, at)",
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
    # --- one-tap answers
    """create table answer_link (
        id text primary key,
        practice_id text not null references practice(id),
        check_in_id text not null references check_in(id),
        client_id text not null references client(id),
        purpose text not null,
        hash text not null unique,
        created_at {i64} not null,
        expires_at {i64} not null,
        ended_at {i64}
    ) {strict}""",
    "create index answer_link_check_in on answer_link (check_in_id)",
    "create index answer_link_client on answer_link (client_id)",
    # --- the signal
    """create table belief (
        practice_id text not null references practice(id),
        client_id text not null references client(id),
        therapist_id text not null references person(id),
        belief_sealed text not null,
        model_id text not null,
        updated_at {i64} not null,
        primary key (practice_id, client_id, therapist_id)
    ) {strict}""",
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
    # --- the audit trail, each row chained to the one before
    "alter table audit add column seq {i64}",
    "alter table audit add column chain text",
    "create unique index audit_seq on audit (practice_id, seq)",
]
