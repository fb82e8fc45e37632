r"""How a text becomes a value: one DuckDB macro per kind of the contracts.

Belongs here: for every kind the SQL that gives the typed value, or NULL when the text is not one; the Dutch words that
say what is expected; the Arrow type. Identifiers and the forms of real files: DOMAIN sections 3 and 6.
Does not belong here: required, allowed, range, keys, references, row rules (judging).

Every macro tests an anchored pattern before any cast, because a cast alone is lenient: '1.5' as integer is 2, '0x1F'
is 31. Euros and hours go through exact decimals, never through floating point.
"""

import os
from functools import cache

import duckdb
import pyarrow as pa

from zio_pipeline.contracts import KINDS, Column, Dataset
from zio_pipeline.errors import ContractError
from zio_pipeline.sql import IN_MEMORY, literal

_MACROS = r"""
-- A cell without odd spaces, invisible characters and loose accents; NULL when nothing remains. Most cells are clean.
create macro clean(t) as nullif(case when regexp_full_match(t, '[!-~]*(?: [!-~]+)*') then t else trim(regexp_replace(
    regexp_replace(nfc_normalize(t), '[\p{Cf}]', '', 'g'), '[\s\p{Z}\p{Cc}]+', ' ', 'g')) end, '');

-- What Excel shows in a cell whose formula failed, in English and in Dutch: never a value, of whatever kind.
create macro is_error(t) as left(t, 1) = '#' and regexp_full_match(t, '#(?:N/[AB]|REF!|VERW!|DIV/0!|DEEL/0!|VALUE!|'
    || 'WAARDE!|NAME\?|NAAM\?|NUM!|GETAL!|NULL!|LEEG!|SPILL!|OVERLOOP!|CALC!|BEREKENEN!|#+)');

-- prepare_*: strip what only decorates a value of the kind.
create macro prepare_pgn(t) as regexp_replace(regexp_replace(t, '[ .''’-]', '', 'g'), '^(\d{8})$', '0\1');
create macro prepare_brin(t) as regexp_replace(case  -- in two columns: 02ZX and 0, 00 and 02ZX, 02ZX and 02ZX00
    when regexp_full_match(upper(t), '\d{1,2}[A-Z]{2} \d') then replace(upper(t), ' ', '0')
    when regexp_full_match(upper(t), '\d{1,2} \d{1,2}[A-Z]{2}')
        then split_part(upper(t), ' ', 2) || lpad(split_part(t, ' ', 1), 2, '0')
    when regexp_full_match(upper(t), '\d\d[A-Z]{2} \d\d[A-Z]{2}\d\d') and upper(t)[1:4] = upper(t)[6:9]
        then split_part(upper(t), ' ', 2) else upper(t) end, '[ .-]', '', 'g');
create macro prepare_agb(t) as replace(t, ' ', '');
create macro prepare_gemeentecode(t) as regexp_replace(upper(t), '^GM ?', '');
create macro prepare_postcode(t) as replace(upper(t), ' ', '');
create macro prepare_duration(t) as regexp_replace(lower(t), '^(\d+([.,:]\d+)?) ?u(?:ur|ren)?$', '\1');
create macro prepare_integer(t) as regexp_replace(t, '^(\d+) ?%$', '\1');
create macro prepare_date(t) as lower(regexp_replace(t, '[T ]0?0:00(?::00(?:\.0+)?)?$', ''));
create macro prepare_time(t) as lower(t);
create macro prepare_euro(t) as regexp_replace(regexp_replace(t, '^(-?) ?(?:€|EUR|eur) ?', '\1'), ',-{1,2}$', '');

create macro hundredths(t) as try_cast(try_cast(replace(t, ',', '.') as decimal(18, 2)) * 100 as bigint);
create macro clock_minutes(t) as
    try_cast(split_part(t, ':', 1) as bigint) * 60 + try_cast(split_part(t, ':', 2) as bigint);
create macro digit(t, i) as ascii(t[i]) - 48;
create macro eleven_sum(t) as digit(t, 1) * 9 + digit(t, 2) * 8 + digit(t, 3) * 7 + digit(t, 4) * 6 + digit(t, 5) * 5
    + digit(t, 6) * 4 + digit(t, 7) * 3 + digit(t, 8) * 2 - digit(t, 9);

-- parse_*: the typed value, NULL when the text is not one.
create macro parse_text(t) as t;
create macro parse_code(t) as t;
create macro parse_municipality(t) as t;

-- A BSN by the elfproef, or an onderwijsnummer: begins with 10 and leaves 5.
create macro parse_pgn(t) as case when regexp_full_match(t, '\d{9}') and t <> '000000000'
    and (eleven_sum(t) % 11 = 0 or (t[1:2] = '10' and eleven_sum(t) % 11 = 5)) then t end;
create macro parse_brin(t) as case when regexp_full_match(t, '\d{1,2}[A-Z]{2}\d{2}') then lpad(t, 6, '0') end;
create macro parse_agb(t) as case when regexp_full_match(t, '\d{7,8}') then lpad(t, 8, '0') end;
create macro parse_gemeentecode(t) as case
    when regexp_full_match(t, '\d{1,4}') and not regexp_full_match(t, '0+') then lpad(t, 4, '0') end;
create macro parse_payer(t) as case when regexp_full_match(t, '\d{1,4}') then lpad(t, 4, '0') else t end;
create macro parse_zorgkantoor(t) as case when regexp_full_match(t, '55(?:0[1-9]|1\d|2[013-9]|3[0-3])') then t end;
create macro parse_postcode(t) as case
    when regexp_full_match(t, '[1-9]\d{3}[A-Z]{2}') and t[5:6] not in ('SA', 'SD', 'SS') then t end;
create macro parse_month(t) as case when regexp_full_match(t, '20\d\d-(?:0[1-9]|1[0-2])(?:-01)?') then t[1:7] end;
create macro parse_school_year(t) as case when regexp_full_match(t, '20\d\d ?[-/–] ?(?:20)?\d\d')
    and (try_cast(t[1:4] as integer) + 1) % 100 = try_cast(right(t, 2) as integer)
    then t[1:4] || '-' || cast(try_cast(t[1:4] as integer) + 1 as varchar) end;

-- Dutch order or ISO; a month in letters; else the serial number of Excel's 1900 system (1954 to 2119). A year of two
-- digits is 2000 to 2049 or 1990 to 1999: no pupil or order is older.
create macro last_year(t) as case when regexp_full_match(right(t, 5), '.\d{4}') then right(t, 4)
    when right(t, 2) < '50' then '20' || right(t, 2) when right(t, 2) >= '90' then '19' || right(t, 2) end;
create macro month_number(m) as instr('... jan feb mrt apr mei jun jul aug sep okt nov dec',
    replace(replace(replace(replace(m, 'maa', 'mrt'), 'mar', 'mrt'), 'may', 'mei'), 'oct', 'okt')) // 4;
create macro is_serial(t) as regexp_full_match(t, '[2-7]\d{4}');
create macro parse_date(t) as case
    when regexp_full_match(t, '(?:(?:19|20|21)\d\d|9999)-\d\d-\d\d') then try_cast(t as date)
    when regexp_full_match(t, '\d{1,2}[-/.]\d{1,2}[-/.](?:(?:19|20|21)\d\d|9999|\d\d)')
        then try_cast(last_year(t) || regexp_replace(t, '^(\d+)[-/.](\d+)[-/.].*$', '-\2-\1') as date)
    when is_serial(t) then date '1899-12-30' + try_cast(t as integer)
    when regexp_full_match(t, '(?:(?:ma|di|wo|do|vr|za|zo)[a-z]*[., ]{1,2})?\d{1,2}[-. ]{1,2}'
        || '(?:jan(?:uari)?|febr?(?:uari)?|mrt|maart|mar'
        || '|apr(?:il)?|mei|may|juni?|juli?|aug(?:ustus)?|sept?(?:ember)?|o[kc]t(?:ober)?|nov(?:ember)?|dec(?:ember)?)'
        || '[-. ]{1,2}(?:(?:19|20|21)\d\d|\d\d)')
        then try_cast(last_year(t) || '-' || month_number(regexp_extract(t, '\d[-. ]+([a-z]{3})', 1))
            || '-' || regexp_extract(t, '\d+') as date) end;

-- What a date of numbers says of the order in its column, in bits: 1 it can be day-month and month-day, 2 only month-day,
-- 4 only day-month; 8 it is loosely written (with strokes, or a year of two digits, which may stand first); 16 a true date
-- that Excel itself may have turned round. In a column with 09/28/2025 the date 01/02/2025 is a guess.
create macro date_part(t, i) as try_cast(regexp_extract(t, '^(\d+)[-/.](\d+)', i) as integer);
create macro order_of_date(t) as case
    when regexp_full_match(t, '\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d\d)') then
        case when contains(t, '/') or not regexp_matches(t, '\d{4}$') then 8 else 0 end
        + case when date_part(t, 1) > 31 then case when regexp_matches(t, '\d{4}$') then 0 else 2 end
            when date_part(t, 1) > 12 then 4 when date_part(t, 2) > 12 then 2 else 1 end
    when regexp_full_match(t, '\d{4}-\d\d-(?:0\d|1[0-2])') then 16 else 0 end;

create macro parse_integer(t) as case when regexp_full_match(t, '-?[1-9]\d{0,2}(?:\.\d{3}){1,4}|-?\d{1,15}')
    then try_cast(replace(t, '.', '') as bigint) end;
create macro parse_minutes(t) as case when regexp_full_match(t, '\d{1,6}') then try_cast(t as bigint) end;
create macro parse_hours(t) as case when regexp_full_match(t, '-?\d{1,6}(?:[.,]\d{1,2})?') then hundredths(t) end;

-- A point with exactly three digits after it is a thousands point: 1.234 is 1234 euro, 1.23 is one euro and 23 cents.
create macro parse_euro(t) as case
    when regexp_full_match(t, '-?[1-9]\d{0,2}(?:\.\d{3}){1,4}(?:,\d{1,2})?') then hundredths(replace(t, '.', ''))
    when regexp_full_match(t, '-?\d{1,13}(?:[.,]\d{1,2})?') then hundredths(t) end;

-- A duration has four units, and its column settles which. In clock, minutes and fraction of a day: minutes; in hours:
-- hundredths of an hour. At most 24 hours; whole numbers up to 12 are never minutes; a fraction must give whole minutes.
create macro duration_clock(t) as case
    when regexp_full_match(t, '\d{1,3}[:uh][0-5]\d(?::00)?') then clock_minutes(regexp_replace(t, '[uh]', ':')) end;
create macro looks_like_clock(t) as regexp_full_match(t, '\d{1,2}[.,](?:15|30|45)');
create macro has_decimals(t) as regexp_full_match(t, '\d{1,2}[.,]\d{1,2}')
    and not regexp_full_match(t, '\d{1,2}[.,](?:00?|15|30|45)');
create macro duration_hours(t) as case when regexp_full_match(t, '\d{1,2}(?:[.,]\d{1,2})?') and hundredths(t) <= 2400
    then hundredths(t) end;
create macro duration_minutes(t) as case when regexp_full_match(t, '\d{1,4} ?min(?:uten)?\.?')
        then try_cast(regexp_extract(t, '\d+') as bigint)
    when regexp_full_match(t, '\d{2,4}') and try_cast(t as bigint) > 12 then try_cast(t as bigint) end;
create macro day_minutes(t) as try_cast(replace(t, ',', '.') as decimal(22, 15)) * 1440;
create macro whole_minutes(m) as case when abs(m - round(m)) <= 0.08 then cast(round(m) as bigint) end;
create macro duration_fraction(t) as case when regexp_full_match(t, '0?[.,]\d{1,15}') then whole_minutes(day_minutes(t)) end;

-- A time of the day; in a workbook it may stand as a fraction of the day.
create macro parse_time(t) as case
    when regexp_full_match(t, '(?:[01]?\d|2[0-3])[:u][0-5]\d(?::00)?(?: ?u(?:ur)?)?')
        then clock_minutes(regexp_replace(regexp_replace(t, ' ?u(?:ur)?$', ''), 'u', ':'))
    when regexp_full_match(t, '(?:[01]?\d|2[0-3])\.[0-5]\d ?u(?:ur)?')
        then clock_minutes(replace(regexp_replace(t, ' ?u(?:ur)?$', ''), '.', ':'))
    when regexp_full_match(t, '0?[.,]\d{3,15}') then whole_minutes(day_minutes(t)) end;
create macro parse_boolean(t) as case
    when lower(t) in ('ja', 'j', 'yes', 'y', 'true', 'waar', '1') then true
    when lower(t) in ('nee', 'n', 'no', 'false', 'onwaar', '0') then false end;
"""

_PREPARED = ("pgn", "brin", "agb", "gemeentecode", "postcode", "euro", "integer", "date", "duration", "time")

EXPECTED = {
    "text": "een waarde (de formule in deze cel geeft een fout; typ de waarde zelf)",
    "code": "een waarde (de formule in deze cel geeft een fout; typ de waarde zelf)",
    "pgn": "een BSN of onderwijsnummer van negen cijfers dat de controle doorstaat",
    "brin": "BRIN met vestigingsnummer, bijvoorbeeld 02ZX00",
    "agb": "een AGB-code van acht cijfers",
    "gemeentecode": "een gemeentecode van vier cijfers, bijvoorbeeld 0855",
    "municipality": "een waarde (de formule in deze cel geeft een fout; typ de waarde zelf)",
    "payer": "een gemeentecode, zorgkantoorcode of andere code van een betaler",
    "zorgkantoor": "een zorgkantoorcode tussen 5501 en 5533",
    "postcode": "een Nederlandse postcode, bijvoorbeeld 1234 AB",
    "month": "een maand als jjjj-mm",
    "school_year": "een schooljaar als 2025-2026",
    "date": "een bestaande datum als dd-mm-jjjj",
    "integer": "een heel getal",
    "hours": "uren met hoogstens twee decimalen, bijvoorbeeld 7,25",
    "euro": "een bedrag in euro's met hoogstens twee decimalen, bijvoorbeeld 1.234,56",
    "minutes": "een heel aantal minuten",
    "duration": "een duur van hoogstens 24 uur, als 7:30 of 7,5 (hoogstens twee decimalen)",
    "time": "een tijd als uu:mm",
    "boolean": "ja of nee",
}
"""What a cell of the kind must hold, in Dutch, to go after 'verwacht wordt'."""

UNITS = ("clock", "hours", "minutes", "fraction")
"""The units a column of durations may be in; where a column fits several, the first is meant."""

UNITS_IN_DUTCH = ("uren en minuten (7:30)", "decimale uren (7,5)", "minuten (450)", "deel van een dag (0,3125)")

ARROW = {"string": pa.string(), "date": pa.date32(), "integer": pa.int64(), "boolean": pa.bool_()}

if set(EXPECTED) != set(KINDS):
    raise ContractError("Niet elke soort van de contracten heeft een lezer.")


def connect() -> duckdb.DuckDBPyConnection:
    """A connection of one's own to a DuckDB in memory that knows the macros and reaches nothing outside itself."""
    return _database(os.getpid()).cursor()


def forget_database() -> None:
    """Make a new database for the next connection."""
    _database.cache_clear()


@cache
def _database(process: int) -> duckdb.DuckDBPyConnection:
    """Made once per process: the macros take longer than a small file."""
    connection = duckdb.connect(":memory:", config=IN_MEMORY)
    connection.execute(_MACROS)
    return connection


def prepare_sql(column: Column, text: str) -> str:
    """SQL of a cell stripped of the decoration of its kind; `text` is the SQL of the cleaned cell."""
    return f"prepare_{column.kind}({text})" if column.kind in _PREPARED else text


def value_sql(column: Column, plain: str) -> str:
    """SQL of the typed value of a column, NULL when the text is not one; `plain` is the SQL of the prepared cell."""
    value = _canonical(column, plain) if column.allowed else f"parse_{column.kind}({plain})"
    return f"case when not is_error({plain}) then {value} end"


def _canonical(column: Column, plain: str) -> str:
    """A closed list: the sender may write the canonical value or its Dutch label, in any case."""
    words = {word.lower(): value for value, label in column.allowed for word in (label, value)}
    cases = " ".join(f"when {literal(word)} then {literal(value)}" for word, value in words.items())
    return f"case lower({plain}) {cases} end"


def schema(dataset: Dataset) -> pa.Schema:
    """Names and Arrow types of the columns of a dataset, in contract order."""
    return pa.schema([(column.name, ARROW[column.logical_type]) for column in dataset.columns])
