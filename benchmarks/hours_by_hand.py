"""What a month of hours comes to, in DuckDB by hand: the other side of `benchmarks.hours`.

Belongs here: the queries, written for these questions alone, and for data without renamed classes.
"""

HOURS = """
create temp table hours as
with added as (
        select school, class_code, provider, work_date, activity, "function", approved_on is null as open,
            count(*) as line_count,
            sum(coalesce(duration_minutes, stated_minutes, end_minute - begin_minute - coalesce(pause_minutes, 0)))::bigint
                as minutes
        from timesheet group by all)
select '2025-2026' as school_year, '2025-11' as month, strftime(work_date, '%G-W%V') as week, a.provider, a.school,
    coalesce(c.class_code, 'onbekend') as class_code, c.order_id, c.doelgroep, activity, "function",
    case when c.provider is distinct from a.provider then 'excluded' when activity <> 'direct' then activity
         when open then 'provisional' else 'delivered' end as status,
    sum(line_count)::bigint as line_count, sum(minutes)::bigint as minutes
from added a left join class c using (school, class_code) group by all
"""

CONTROL = """
with k as (select school, day, row_number() over (partition by school order by day) as k,
        count(*) over (partition by school) as n from open),
    parts as (select school, strftime(day, '%G-W%V') as week, min(k) - 1 as before, max(k) as until, any_value(n) as n,
        count(*) as open_days from k where day between date '2025-11-01' and date '2025-11-30' group by all),
    plan as (select week, school, class_code, provider, granted * until // n - granted * before // n as planned
        from class join parts using (school) where granted > 0),
    spent as (select week, school, class_code, provider,
        sum(minutes) filter (status = 'delivered') as delivered, sum(minutes) filter (status = 'provisional') as provisional,
        sum(minutes) filter (status = 'indirect') as indirect, sum(minutes) filter (status = 'travel') as travel,
        sum(minutes) filter (status = 'training') as training, sum(minutes) filter (status = 'excluded') as excluded
        from hours group by all)
select '2025-2026' as school_year, '2025-11' as month, week, school, class_code, provider, c.doelgroep, c.order_id,
    coalesce(o.open_days, 0) as open_days, coalesce(planned, 0)::bigint as planned_minutes,
    coalesce(delivered, 0)::bigint as delivered_minutes, coalesce(provisional, 0)::bigint as provisional_minutes,
    coalesce(indirect, 0)::bigint as indirect_minutes, coalesce(travel, 0)::bigint as travel_minutes,
    coalesce(training, 0)::bigint as training_minutes, coalesce(excluded, 0)::bigint as excluded_minutes
from spent full join plan using (week, school, class_code, provider) left join class c using (school, class_code)
left join parts o using (school, week)
"""

LINES = """
create temp table l as
select row_number() over () as id, t.label, t.sheet, t.row_number, t.provider, t.school, t.class_code as stated,
    coalesce(c.class_code, 'onbekend') as class_code, hash(t.school, t.class_code) as place, hash(t.employee) as person, work_date,
    activity, "function", begin_minute as since, end_minute as until,
    coalesce(duration_minutes, stated_minutes, end_minute - begin_minute - coalesce(pause_minutes, 0)) as minutes,
    c.order_id, c.provider is not distinct from t.provider as mine
from timesheet t left join class c using (school, class_code)
"""

SIGNALS = """
with closed as (select id, minutes as concerned from l anti join open o on o.school = l.school and o.day = l.work_date
        where activity = 'direct' and school in (select school from open)),
    long as (select id, minutes as concerned from l semi join
        (select person, work_date from l group by all having sum(minutes) > 720) using (person, work_date)),
    pair as (select a.id, b.id as other, a.until - a.since - a.minutes as pause, a.person, a.work_date, a.place,
            greatest(a.since, b.since) as since, least(a.until, b.until) as until
        from l a join l b on a.person = b.person and a.work_date = b.work_date and a.place <> b.place
            and a.since < b.until and b.since < a.until),
    fresh as (select id, pause, greatest(0, until - greatest(since, coalesce(max(until) over (partition by id order by since
            rows between unbounded preceding and 1 preceding), since))) as fresh from pair),
    fits as (select id from fresh group by id, pause having sum(fresh) <= pause),
    clash as (select id, greatest(0, until - greatest(since, coalesce(max(until) over (
            partition by person, work_date, place order by since rows between unbounded preceding and 1 preceding), since)))
            as fresh from pair where id not in (from fits) and other not in (from fits)),
    twice as (select id, sum(fresh)::bigint as concerned from clash group by id),
    same as (select a.id, any_value(a.minutes) as minutes, bool_or((b.since is null, b.label, b.row_number)
                < (a.since is null, a.label, a.row_number)) as again
        from l a join l b on a.person = b.person and a.place = b.place and a.work_date = b.work_date and a.activity = b.activity
            and a."function" = b."function" and a.id <> b.id
            and (a.since = b.since and a.until = b.until or (a.since is null or b.since is null) and a.minutes = b.minutes)
        group by a.id),
    found as (select 'outside_open_days' as kind, * from closed union all select 'over_twelve_hours', * from long
        union all select 'two_classes_at_once', * from twice
        union all select 'duplicate_line', id, case when again then minutes else 0 end from same
        union all select 'unknown_class', id, minutes from l where order_id is null
        union all select 'provider_without_order', id, minutes from l where order_id is not null and not mine),
    of_day as (select kind, school, class_code, provider, work_date, count(*) as lines, sum(concerned) as minutes,
            min({'label': label, 'sheet': sheet, 'row_number': row_number}, 5) as refs
        from found join l using (id) group by all)
select kind, strftime(work_date, '%G-W%V') as week, school, class_code, provider, sum(lines)::bigint as line_count,
    sum(minutes)::bigint as minutes, count(*) as days, list_sort(flatten(list(refs)))[:5] as refs
from of_day group by all
"""
