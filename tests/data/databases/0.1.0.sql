BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
) STRICT;
INSERT INTO "_sqlite_migrations" VALUES(1,'attune','0001_start','2026-11-23 11:42:48.273535+00:00');
CREATE TABLE alert (
        id text primary key,
        practice_id text not null references practice(id),
        client_id text references client(id),
        therapist_id text references person(id),
        check_in_id text references check_in(id),
        kind text not null,
        state text not null,
        explanation_sealed text,
        opened_at INTEGER not null,
        sent_at INTEGER,
        seen_at INTEGER,
        acknowledged_at INTEGER,
        acknowledged_by text references person(id),
        note_sealed text,
        resolved_at INTEGER,
        step INTEGER not null default 0,
        next_step_at INTEGER
    ) STRICT;
INSERT INTO "alert" VALUES('a07b1a56864c452a9b45a55e2f806766','8adbc4f55b0946d29e0886eede32e549','ddc9fb4685314bc486125bcea2a563b7','23429c407bdc43eb8037b26b1b0826f2',NULL,'danger','opened',NULL,1788796800,NULL,NULL,NULL,NULL,NULL,NULL,0,1788796800);
CREATE TABLE answer (
        id text primary key,
        practice_id text not null references practice(id),
        check_in_id text not null references check_in(id),
        inbox_id text not null references inbox(id),
        feeling text not null,
        score INTEGER not null check (score between 1 and 5),
        answered_at INTEGER not null,
        replaced_at INTEGER
    ) STRICT;
INSERT INTO "answer" VALUES('3312a9e51d8d44aa915fcf3bfd47f937','8adbc4f55b0946d29e0886eede32e549','b087635793c241d8b66c2ad7989f50c9','595bbd6651c842c38e6a9c906f1807b5','heard',4,1788796800,NULL);
INSERT INTO "answer" VALUES('e6a67a7c4b0148ee8d9fc541296a4c4e','8adbc4f55b0946d29e0886eede32e549','b087635793c241d8b66c2ad7989f50c9','595bbd6651c842c38e6a9c906f1807b5','respected',4,1788796800,NULL);
INSERT INTO "answer" VALUES('42077e4fb7e24ad3bf08265ddd38e668','8adbc4f55b0946d29e0886eede32e549','b087635793c241d8b66c2ad7989f50c9','595bbd6651c842c38e6a9c906f1807b5','understood',5,1788796800,NULL);
CREATE TABLE api_token (
        id text primary key,
        practice_id text not null references practice(id),
        name_sealed text not null,
        hash text not null unique,
        created_at INTEGER not null,
        revoked_at INTEGER
    ) STRICT;
CREATE TABLE appointment (
        id text primary key,
        practice_id text not null references practice(id),
        appointment_ref text not null,
        client_id text not null references client(id),
        therapist_id text not null references person(id),
        starts_at INTEGER not null,
        ends_at INTEGER not null,
        status text not null,
        not_asked text,
        unique (practice_id, appointment_ref)
    ) STRICT;
INSERT INTO "appointment" VALUES('2e5c97aaa83b417db2c03a866d8072be','8adbc4f55b0946d29e0886eede32e549','A-1','f8b6b533dbf2462eab58178954eece48','23429c407bdc43eb8037b26b1b0826f2',1788707400,1788710400,'attended',NULL);
INSERT INTO "appointment" VALUES('26cdd2cda71a4573a96d4ca2fac4de45','8adbc4f55b0946d29e0886eede32e549','A-2','2c885b4f8e6d4098832f15dc539dc363','23429c407bdc43eb8037b26b1b0826f2',1788783000,1788786000,'attended','the client has opted out');
CREATE TABLE attempt (
        id text primary key,
        practice_id text not null references practice(id),
        outbox_id text not null references outbox(id),
        started_at INTEGER not null,
        ended_at INTEGER,
        outcome text,
        provider_id text
    ) STRICT;
CREATE TABLE audit (
        id text primary key,
        practice_id text not null references practice(id),
        at INTEGER not null,
        who text not null,
        what text not null,
        about text not null,
        words_sealed text
    ) STRICT;
CREATE TABLE check_in (
        id text primary key,
        practice_id text not null references practice(id),
        client_id text not null references client(id),
        therapist_id text not null references person(id),
        appointment_id text not null unique references appointment(id),
        state text not null,
        feelings text not null,
        due_at INTEGER not null,
        expires_at INTEGER not null,
        asked_at INTEGER,
        remind_at INTEGER,
        reminded_at INTEGER,
        answered_at INTEGER,
        closed_at INTEGER,
        prompted text not null default '',
        reason text
    ) STRICT;
INSERT INTO "check_in" VALUES('b087635793c241d8b66c2ad7989f50c9','8adbc4f55b0946d29e0886eede32e549','f8b6b533dbf2462eab58178954eece48','23429c407bdc43eb8037b26b1b0826f2','2e5c97aaa83b417db2c03a866d8072be','answered','heard,respected,understood',1788786000,1789045200,1788796800,NULL,NULL,1788796800,NULL,'',NULL);
INSERT INTO "check_in" VALUES('b8f48990b1b3449ba8dc0e585a088465','8adbc4f55b0946d29e0886eede32e549','2c885b4f8e6d4098832f15dc539dc363','23429c407bdc43eb8037b26b1b0826f2','26cdd2cda71a4573a96d4ca2fac4de45','cancelled','',1788793200,1789052400,NULL,NULL,NULL,NULL,1788796800,'','the client has opted out');
CREATE TABLE client (
        id text primary key,
        practice_id text not null references practice(id),
        client_ref text not null,
        name_sealed text not null,
        phone_sealed text,
        phone_index text,
        email_sealed text,
        email_index text,
        language text not null,
        timezone text not null,
        channel text not null,
        consent_at INTEGER,
        consent_source text,
        therapist_id text references person(id),
        state text not null default 'active',
        paused_until INTEGER,
        stopped_at INTEGER,
        halted_at INTEGER,
        welcomed_at INTEGER,
        created_at INTEGER not null,
        unique (practice_id, client_ref)
    ) STRICT;
INSERT INTO "client" VALUES('f8b6b533dbf2462eab58178954eece48','8adbc4f55b0946d29e0886eede32e549','C-Ana','7fe88c05.LHrZooLvlM6q/6qq3S1Y1oy4ShM4wPPyP5CX5x9HGw==','7fe88c05.28ADyDm+i4DTRc6FSbjT3kKEOUblBAKHWvtfhXQxiw+jv4T5CcTJUA==','e9f98f88c928ba9a1064885483bd97735f6929490c894f003bfb3a4247f8f9f1','7fe88c05.6u8NY58Ty2Zj2U3pCMsWoBgO69bWqfgLHSWQ9QXKYCShc7OY1dBevsnuLv2jTkQ=','307103c611c8d03fb188ca63c372b0a1c15407d274628aa90cf24f25b0118301','en','America/New_York','sms',1786204800,'roster','23429c407bdc43eb8037b26b1b0826f2','active',NULL,NULL,NULL,NULL,1788796800);
INSERT INTO "client" VALUES('2c885b4f8e6d4098832f15dc539dc363','8adbc4f55b0946d29e0886eede32e549','C-Ben','7fe88c05.3xqmgkbP8Iw4CathjbmkTdgd0RIiIDyj3fLrQ7pH9w==','7fe88c05.DZIy2Id5nZE+3z3menQazPwwLgS4B3g7BsVzls32fkRGrGxjBfN6JQ==','4a9170a652144cedd1579fdf5d9ba69f9beca241fbe9c8081a7a79471050c195','7fe88c05.oyTM7nC0uKE4VwAwAYbSAHWkeUCKA7z4gzQeHnxtXgmHCxgktD2wLe8/uqUqtkI=','2d7081910242b7916cba6b1f1dea103f62e30c2a905fc4ab1b4aab96af0eb113','en','America/New_York','sms',1786204800,'roster','23429c407bdc43eb8037b26b1b0826f2','active',NULL,1788796800,NULL,NULL,1788796800);
INSERT INTO "client" VALUES('ddc9fb4685314bc486125bcea2a563b7','8adbc4f55b0946d29e0886eede32e549','C-Chidi','7fe88c05.2Xzf9hgoWWzNKKQTJLktVKzqfUXZ2Osn4eowF1km4Jkl','7fe88c05.U8rqrlwYgVCrbXseLbRA6FvLw+PMStZh5AaGPZRsya03nv2nYnA6hQ==','17f0fd3a126d8d355a006a9d834fbb4c272dbe4335b98a1e3d487a035a187edf','7fe88c05.5d0UD6lKSb+vArGUEFiNJxY6INcEA4lcCod4xqbd8Vx3qvOveQMGty+0ei18EBaOaw==','92b93f3858af6409284a9de56ea8411c846011cb682d825f23ed2c3a0b72eefb','en','America/New_York','sms',1786204800,'roster','23429c407bdc43eb8037b26b1b0826f2','active',NULL,NULL,1788796800,NULL,1788796800);
CREATE TABLE consent_event (
        id text primary key,
        practice_id text not null references practice(id),
        client_id text references client(id),
        address_sealed text,
        what text not null,
        at INTEGER not null,
        source text not null
    ) STRICT;
INSERT INTO "consent_event" VALUES('050f14dbb1cd48518ca0e91abb8bf085','8adbc4f55b0946d29e0886eede32e549','f8b6b533dbf2462eab58178954eece48','7fe88c05.TgJlvHyohe7xvgXeisotbiJcwwSiYMCN6Q/247pMae4psoBjFVA15w==','given',1788796800,'roster');
INSERT INTO "consent_event" VALUES('c9b0d2be39664271aa3ddcb1ad2e7bb4','8adbc4f55b0946d29e0886eede32e549','2c885b4f8e6d4098832f15dc539dc363','7fe88c05.haTadmvr1iJfLjY855dmxRAnZ1uAEt+lky1dStm6R0cXg3gK6LewRw==','given',1788796800,'roster');
INSERT INTO "consent_event" VALUES('10459c82e1294cf2af6d8553eb9a56f7','8adbc4f55b0946d29e0886eede32e549','ddc9fb4685314bc486125bcea2a563b7','7fe88c05.E8/Vh2ittulS3Xm6HRtouh6bfe9LXhPA1Zsvm4RtJjofJEwoZVYmFw==','given',1788796800,'roster');
INSERT INTO "consent_event" VALUES('da677ed49dd2433986f6396a5ba9737e','8adbc4f55b0946d29e0886eede32e549','2c885b4f8e6d4098832f15dc539dc363','7fe88c05.XskFUJRRwKnDQBTfbXVtAe3ixz+Tg1ZxAn9+uGXo70BceiX3mdYNEA==','stopped',1788796800,'reply');
CREATE TABLE inbox (
        id text primary key,
        practice_id text not null references practice(id),
        channel text not null,
        provider_id text not null,
        address_index text,
        sender_sealed text not null,
        body_sealed text not null,
        received_at INTEGER not null,
        opt_out_type text,
        client_id text references client(id),
        check_in_id text references check_in(id),
        kind text,
        reading_sealed text,
        unique (channel, provider_id)
    ) STRICT;
INSERT INTO "inbox" VALUES('595bbd6651c842c38e6a9c906f1807b5','8adbc4f55b0946d29e0886eede32e549','sms','SM00000000000000000000000000000000','e9f98f88c928ba9a1064885483bd97735f6929490c894f003bfb3a4247f8f9f1','7fe88c05./caFLfvazCy/Oq29qJi13BqeezntXB/7oNqnMCoDFMBNm7tOQBhfUw==','7fe88c05.kxCAAc50gplI18yBamAoOKdxC8V+bivPrUlLw+BG1jEm',1788796800,NULL,'f8b6b533dbf2462eab58178954eece48','b087635793c241d8b66c2ad7989f50c9','answer','7fe88c05.1g/4amfKOoNVjFONtk4VAeAt365mrGSIl4r3cJ0DkOy1kzDagWDNQaJKVB5E0fd8Ar8J6j5aDF1cUZ19XqNCm8XXKNfkzcoGEazM2lVG9HcxnhzPut7dkIuJ6dXQLPMAfkxwjlFI4xktsQ2eexihyOveM8tyNleCRVWUtUWUBneCfVXZygwNbVVR5QWYc94tM17jEQKu+bLUhDsw1igfJZowlxdz3vOgeAH8MgpkukF5yId8tiJfsz+MI0yw8FuC8v/Gmp48aFoUx8aTtqvjiP2/zMLhdGIe62euzlMJmPlwW1gimYoFn9/nHQmYoiqVZzznPjfUQSZwFMbiRtLZFZLSZbU2qLoA6UYxVvHm9StcdZOffbdwFh5VfatR+aQ/fYd33HWDj6rH6NfSV+KAuQfdaY2zDs+QYLRK3UvqS8Zw4v1IdW359zOiz6IhgxrEIhwFySsNdzx5HagpOmlqoiv1sJg=');
INSERT INTO "inbox" VALUES('4b3320a8c1f543259b3dd7c6e3503905','8adbc4f55b0946d29e0886eede32e549','sms','SM00000000000000000000000000000001','4a9170a652144cedd1579fdf5d9ba69f9beca241fbe9c8081a7a79471050c195','7fe88c05./RpAmxzHv+p5k7+f5veXoRM+/V3y3HGGrygnAjhr3VOn9sV0ljsFjA==','7fe88c05.Q466msqNkacXdrx5f1aSb1EioH/qgyACE7Rb1nbQxxU=',1788796800,NULL,'2c885b4f8e6d4098832f15dc539dc363',NULL,'optout','7fe88c05.HNTPWYAUyQpOPTfgD91Eaf+rrKAvKShsE0EIjm52fMdO6abh9d9Q4DOTxI/oWJU6yeG11i8NsBgGdV3MJPgi08nq4KsGdTjfOg9I6z2AcsFGh2NlUGWJ78gDrOnw8Mj/pYF3GtS2fvVfeI1Q7edL776aHLEKp/RiWG3Dl9mugKRR01Gr/uW0g1HOGcyUuQItfptXCWWP0j0uQskUbhNm6GByrWN8nyURUqlth8wP96wpl2i5MvIrVSmYc/zqUrhCEU/HdYOdv7z4wUfKTf6sWuDaxzbFtU1TvbPh3L+7RQ==');
INSERT INTO "inbox" VALUES('3c611c78cf9c4b038f9ed373c1ed52cc','8adbc4f55b0946d29e0886eede32e549','sms','SM00000000000000000000000000000002','17f0fd3a126d8d355a006a9d834fbb4c272dbe4335b98a1e3d487a035a187edf','7fe88c05.wUcyQEeSvyXt06ti/h4IXAs70X5FwVZQWb+zpV2EGXK9me8EDyxnlA==','7fe88c05.uaAUAAytyWYOrDY4dL/lst36hqdAXZx5CBRZXK/9xhFcgXhdHzlPsEBa6Ldzm46XSw==',1788796800,NULL,'ddc9fb4685314bc486125bcea2a563b7',NULL,'crisis','7fe88c05.L4SfDMYnv87Yn8Vq5a2zG+3/68aUaPpw2u+UKUQ2C5cr7C+Q7IXB9FynvW+MW15QO5O68cFY4yKCEB69omI8VL5TY7hzZ2s6O6JzDOhTjm2TYLGZ59Kdh+sfNaKYLJv9YoSCDxJEILhmfKUu4JeOx0TByoUYAmE7ptOAbx31ywa5lJMSTr/9nLKkW1gwFIPzLhf3smyTyK4/zYwO7C3J7A82/D2Og/rYh138+AZHRynN18K+8OVE3BUy5x+SPZ2sbgYTOJ8SfuHUp4rqTUqmZOqfUw3E3ymIwPDXUH7ATE8RBvxQIVYQPAS6ocI4DMsHU6Bf9P/kqrh8gDylYXKz87rY');
CREATE TABLE installation (
        name text primary key,
        value text not null
    ) STRICT;
CREATE TABLE outbox (
        id text primary key,
        practice_id text not null references practice(id),
        kind text not null,
        dedupe text not null,
        client_id text references client(id),
        person_id text references person(id),
        check_in_id text references check_in(id),
        alert_id text references alert(id),
        channel text not null,
        address_sealed text not null,
        address_index text not null,
        subject_sealed text,
        body_sealed text not null,
        html_sealed text,
        segments INTEGER not null default 1,
        urgency INTEGER not null,
        due_at INTEGER not null,
        state text not null default 'due',
        reason text,
        claim_token text,
        claimed_by text,
        lease_until INTEGER,
        attempts INTEGER not null default 0,
        attempt_id text,
        provider_id text,
        code text,
        sent_at INTEGER,
        delivery text,
        looks INTEGER not null default 0,
        look_at INTEGER,
        created_at INTEGER not null,
        unique (practice_id, dedupe)
    ) STRICT;
INSERT INTO "outbox" VALUES('9e5032ef5ed0429d8ed16571f658e98e','8adbc4f55b0946d29e0886eede32e549','welcome','welcome:b087635793c241d8b66c2ad7989f50c9','f8b6b533dbf2462eab58178954eece48',NULL,'b087635793c241d8b66c2ad7989f50c9',NULL,'sms','7fe88c05.BP0/Fmkx2x4lM8KNWF0YlGC4NR2Z99C9uaBG29jbRiJtCACFAI7xaQ==','e9f98f88c928ba9a1064885483bd97735f6929490c894f003bfb3a4247f8f9f1',NULL,'7fe88c05.8PDW0Y/QsNPNWGssYd82rwYjcjcTslzyp2fZUzrRBMD0yelnRVrXYH9JxdeP5tqLL+jMh3aoy8m6VJFj3HW32wFb0g7HfjIuhgoiH5Y3lJdtSV/y/6wXl2Z5jP9cYEUAaC9dnHCSj1jgCXMrfAjko3+ZGDVocW+DMSOjJqkaGy1JP+3sT8tFU6GsuoWRtOnMYbMMCw8siPD85XVrBaPLRThUDxf0rkTYrFwyithM4Eo0lCDxvVYtaiMs0MaUI5LZ1xskyWSPBIptDmJpTaVIYFT+46/tmvHmEd24uDa7lniVBS+Xid4xowqB4sT/8gCa1mG7hkEwe3clgRXZ02UPPsv/biuXA5BBgUlcI2YLo9VxjAqoacgpDy4wepglSXC8UTesK1gZRmd2KSMr53AftVrqlQeGlPm6ZqFRRUHSxjJ2dmEUUHRs7M+3gXmYARB1uxg+ao74uxxSPsfCyL/vi8W6rJz/uqZoTKcfFOtgJW4Fxww=',NULL,3,2,1788796800,'due',NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,0,NULL,1788796800);
INSERT INTO "outbox" VALUES('ecfcb9f7fddd4893ac36c2ad80bbf645','8adbc4f55b0946d29e0886eede32e549','welcome','welcome:b8f48990b1b3449ba8dc0e585a088465','2c885b4f8e6d4098832f15dc539dc363',NULL,'b8f48990b1b3449ba8dc0e585a088465',NULL,'sms','7fe88c05.2Ub3OzhxDQKVFHzKj1CQ1yqFIRmhDhZ8Wid22Ej25OC/dMrYMfcmTA==','4a9170a652144cedd1579fdf5d9ba69f9beca241fbe9c8081a7a79471050c195',NULL,'7fe88c05.qa1qpwUfSRWLnqAJ9e46VLLJnq2JUiik2+bDAIDTHjAMxBeyRNu6MudGgKycIjjaTum8+BLH4mBgj/+PYOC43kePrvZHo+zNs6uOluEbf0H19IbRdW3wlhSJNVWTDkaH255dsbR+E7Ekc9KPCxQN+mPt08Xl/A3/CrxVZSoEQfD9BQu/aZfUfy2w5TS93b0X1U+UdbklQEeSyyB37w10WmJmmMPSUC5ppHJ1SbEfRsV/SnRnO0bauYVGWbiuS4V7e4mzC4gezWKYHDyeRans5Xi9JXvoLCkardwq7TWBbFwiRiZa8FfebHVT3I6krNGbUSQEBJ0n26P2PQTAWVkMC8/9RVOv7+jRHjN9RuKItJEuT2tOuUrtXkzqf+aV5hRm9AjoK1etZmmdv/faL+CMxsKKrS+es0xLzk52WwzOxPJgWV6ba2QjtEliL9eW/uFqpGFRuttZfAnhcPf59oInHOLBWmVS1hHqZ2NLG3QCbia8D4g=',NULL,3,2,1788796800,'skipped','the client has opted out',NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,0,NULL,1788796800);
INSERT INTO "outbox" VALUES('8a90bb6590704e42bcd0ef4247f5515f','8adbc4f55b0946d29e0886eede32e549','thanks','thanks:595bbd6651c842c38e6a9c906f1807b5','f8b6b533dbf2462eab58178954eece48',NULL,'b087635793c241d8b66c2ad7989f50c9',NULL,'sms','7fe88c05.oodLd2/7sBSailOQChZ/l9VdximlUsCCc3br0ctIOjr8etvPL1nzHQ==','e9f98f88c928ba9a1064885483bd97735f6929490c894f003bfb3a4247f8f9f1',NULL,'7fe88c05.+qNa4qLsDI93uMtGJDGHn36yTbkh7Sgwvp9MfB/LjDmqmsEiqMx3ZvTyDU7qK1r8jPFWIDkLIcL9dKLRBtWoRRt/MxVS7RnQYtr4p4Blw8Uv3drGZV5351QqT+kDgKpkUOp11o/N4ImadMEgC4WWqBzpvYFzon56rMPtPgbxAgbcMHno9wx67xdVwXrEHudoStZ/fekTDfnUjEiecTE1tzKAfJt3YPrhl9KUFHCmjrPwqjXM3pTzEqRqJpcSDV5KMtpwuF6OCUdibQ0BUhjYy9tiX/87jnSfKQ==',NULL,2,1,1788796800,'due',NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,0,NULL,1788796800);
INSERT INTO "outbox" VALUES('1ee841da8b9a4d3da42159695773f456','8adbc4f55b0946d29e0886eede32e549','stopped','stopped:4b3320a8c1f543259b3dd7c6e3503905','2c885b4f8e6d4098832f15dc539dc363',NULL,NULL,NULL,'sms','7fe88c05.6FD6k5voLNV/iphNVu1RafKx8JvbDcyKi8GqhFanxwmI+RH3RH/f0g==','4a9170a652144cedd1579fdf5d9ba69f9beca241fbe9c8081a7a79471050c195',NULL,'7fe88c05.2ECWC7H4HLrVVbOSDprBEzX9kI4Ij8r3tniBHJ+vqMy3BlMxNImrWJL//fcVOekWmoscBOsL3H1wryHwfcSBj692pQNkjSQhHpaeU8AGBVXOxs9ZAkntMEtEUoc4eXCWSGxvFGkxD+VtJtl8QINZ7Ko8',NULL,1,1,1788796800,'due',NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,0,NULL,1788796800);
INSERT INTO "outbox" VALUES('6e734421cb274867a8430438ba14b16b','8adbc4f55b0946d29e0886eede32e549','crisis','crisis:3c611c78cf9c4b038f9ed373c1ed52cc','ddc9fb4685314bc486125bcea2a563b7',NULL,NULL,NULL,'sms','7fe88c05.QVW1njtp0qhCLomqfy1kzu5AT+1A2z9RrPm8yK4eSCCHBmPcDpV0pw==','17f0fd3a126d8d355a006a9d834fbb4c272dbe4335b98a1e3d487a035a187edf',NULL,'7fe88c05.KtafRwwvkfVZblqPTIRWHwhacrchDhev/Ai0Qo7xUtn618w6zwcLlkGdAmNQS5WnqQq2xWsnuMd9RIa+9G/Ho38DG2rv0i5q6/AH44bF67eidNFzk+Grc2tsDURxcWU+g5Imb2IvvFK4dQZ9EyF6H4fawBWV5gb0AXNX7/Is4uz6amGA9x8lBpYTTB71qrRNqaXEEhy3XGB9Jd9qOH/gOko10DUlFN9idqC59dwJrpMftDZW3dnF07i4TvoKIdI=',NULL,2,0,1788796800,'due',NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,0,NULL,1788796800);
CREATE TABLE pace (
        sender text primary key,
        free_at INTEGER not null
    ) STRICT;
CREATE TABLE person (
        id text primary key,
        practice_id text not null references practice(id),
        name_sealed text not null,
        email_sealed text,
        email_index text,
        phone_sealed text,
        phone_index text,
        active INTEGER not null default 1,
        created_at INTEGER not null,
        unique (practice_id, email_index)
    ) STRICT;
INSERT INTO "person" VALUES('23429c407bdc43eb8037b26b1b0826f2','8adbc4f55b0946d29e0886eede32e549','7fe88c05.8MDSMeh9AEwZnpttpNu2g8c0a6oVn8ofIoVP2rst29U=','7fe88c05.zUAYObNHnrVtz7SVqCrgmG2mzYC8uq/hEphYFLfEn0rvdZqMEjOsCixGDIbnlLOoDgY=','fd37cd4515a4c3ec66375dfecd3f0867190b41621c518a5114149c77d355d7dc',NULL,NULL,1,1788796800);
INSERT INTO "person" VALUES('fdeb40ed2e57441390fb10944fe78c83','8adbc4f55b0946d29e0886eede32e549','7fe88c05.T1MtbQ0LfwfYbjFSXpBsN3sV5ejQB9/g8jNrnsM2cq8=','7fe88c05.0yvSDd+m7bulgL8a/txbyQEkQx1gu1XZsED/DqnJ4DrfMaHJFmQr21n38Iz8gf2d43A=','cd38763fe52ef760fed94cf2b735119c323ca9dac9274413c61bcd3e4e3df1ea',NULL,NULL,1,1788796800);
INSERT INTO "person" VALUES('4e43bfd710a54ef384b8b5b8a2bfc9f6','8adbc4f55b0946d29e0886eede32e549','7fe88c05./tfPk7ato71AHjE0+13UQpBjZNTVS4E0lgGMsVkaRnM=','7fe88c05.6EYhLJwq6+q0QxNSw6oKYXWot1Sh8R3tY0fXM44lrv1TO/hLWBMfcRWM5DhqLtLL62w=','c75417bba0ae04ffe6bdd2b67ac967724bf857139a9a96b50a451977513992f4',NULL,NULL,1,1788796800);
CREATE TABLE person_role (
        practice_id text not null references practice(id),
        person_id text not null references person(id),
        role text not null,
        primary key (practice_id, person_id, role)
    ) STRICT;
INSERT INTO "person_role" VALUES('8adbc4f55b0946d29e0886eede32e549','23429c407bdc43eb8037b26b1b0826f2','therapist');
INSERT INTO "person_role" VALUES('8adbc4f55b0946d29e0886eede32e549','fdeb40ed2e57441390fb10944fe78c83','therapist');
INSERT INTO "person_role" VALUES('8adbc4f55b0946d29e0886eede32e549','4e43bfd710a54ef384b8b5b8a2bfc9f6','manager');
INSERT INTO "person_role" VALUES('8adbc4f55b0946d29e0886eede32e549','4e43bfd710a54ef384b8b5b8a2bfc9f6','duty');
CREATE TABLE practice (
        id text primary key,
        name text not null unique,
        sms_name text not null,
        country text not null,
        timezone text not null,
        language text not null,
        schedule text not null,
        settings text not null,
        created_at INTEGER not null
    ) STRICT;
INSERT INTO "practice" VALUES('8adbc4f55b0946d29e0886eede32e549','Riverside Counseling','Riverside','US','America/New_York','en','{}','{}',1788796800);
CREATE TABLE suppression (
        id text primary key,
        practice_id text not null references practice(id),
        address_sealed text not null,
        address_index text not null,
        stopped_at INTEGER not null,
        lifted_at INTEGER,
        source text not null,
        unique (practice_id, address_index)
    ) STRICT;
INSERT INTO "suppression" VALUES('a7bcff8e0f28417785523840444eba23','8adbc4f55b0946d29e0886eede32e549','7fe88c05.ZdL73n3Sbtfti95GpSvYfTHpPoLEs0Zqd2lb8+UOq9rjQttDgSD19A==','4a9170a652144cedd1579fdf5d9ba69f9beca241fbe9c8081a7a79471050c195',1788796800,NULL,'reply');
CREATE TABLE to_assess (
        practice_id text not null references practice(id),
        client_id text not null references client(id),
        therapist_id text not null references person(id),
        mark text not null,
        primary key (practice_id, client_id, therapist_id)
    ) STRICT;
INSERT INTO "to_assess" VALUES('8adbc4f55b0946d29e0886eede32e549','f8b6b533dbf2462eab58178954eece48','23429c407bdc43eb8037b26b1b0826f2','479c4a7cb4294409a0b3261e68ef3898');
CREATE TABLE worker (
        id text primary key,
        seen_at INTEGER not null
    ) STRICT;
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX client_phone on client (phone_index);
CREATE INDEX client_email on client (email_index);
CREATE INDEX client_therapist on client (practice_id, therapist_id);
CREATE INDEX consent_event_client on consent_event (practice_id, client_id, at);
CREATE INDEX appointment_client on appointment (client_id, starts_at);
CREATE INDEX check_in_due on check_in (state, due_at);
CREATE INDEX check_in_expires on check_in (state, expires_at);
CREATE INDEX check_in_remind on check_in (state, remind_at);
CREATE INDEX check_in_client on check_in (client_id, due_at);
CREATE INDEX inbox_client on inbox (client_id, received_at);
CREATE INDEX inbox_check_in on inbox (check_in_id);
CREATE UNIQUE INDEX answer_current on answer (check_in_id, feeling) where replaced_at is null;
CREATE INDEX answer_practice on answer (practice_id, answered_at);
CREATE INDEX alert_open on alert (practice_id, client_id, therapist_id, kind, opened_at);
CREATE UNIQUE INDEX alert_one_open on alert (practice_id, client_id, therapist_id) where kind = 'rapport' and resolved_at is null;
CREATE INDEX alert_next_step on alert (next_step_at) where next_step_at is not null;
CREATE INDEX outbox_due on outbox (state, channel, urgency, due_at, id);
CREATE INDEX outbox_live on outbox (address_index, state);
CREATE INDEX outbox_provider on outbox (provider_id);
CREATE INDEX outbox_client on outbox (client_id, created_at);
CREATE INDEX outbox_check_in on outbox (check_in_id);
CREATE INDEX outbox_alert on outbox (alert_id);
CREATE INDEX attempt_outbox on attempt (outbox_id);
CREATE INDEX audit_practice on audit (practice_id, at);
COMMIT;
