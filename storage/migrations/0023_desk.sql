-- Who is on duty when, whom to ring, and what a person sees first.
CREATE TABLE console_duty (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner text NOT NULL,
    person text NOT NULL CHECK (length(person) BETWEEN 1 AND 60),
    account text REFERENCES console_users ON DELETE SET NULL,
    phone text NOT NULL DEFAULT '' CHECK (length(phone) <= 30),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    CHECK (ends_at > starts_at)
);
CREATE INDEX console_duty_ends ON console_duty (ends_at);
CREATE TABLE console_contacts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner text NOT NULL,
    person text NOT NULL CHECK (length(person) BETWEEN 1 AND 60),
    phone text NOT NULL CHECK (length(phone) BETWEEN 3 AND 30),
    note text NOT NULL DEFAULT '' CHECK (length(note) <= 200)
);
CREATE TABLE console_people (
    name text PRIMARY KEY REFERENCES console_users ON DELETE CASCADE,
    start_page text NOT NULL CHECK (length(start_page) BETWEEN 1 AND 1000)
);
-- Where a person is mentioned is looked for in the newest notes.
CREATE INDEX episode_acts_at ON episode_acts (at);
