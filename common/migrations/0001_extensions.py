"""What of PostgreSQL's own every app may build its indexes and constraints on, and how text is
read when it is searched for.

`search_fold` brings together what people take for the same writing: case, Latin accents, the
forms of alef, yeh and heh, hamza, tashkeel and tatweel, Arabic-Indic digits, and the many ways to
write Abdel. Decomposing (NFKD) parts a letter from what it carries, so أ, إ, آ, ؤ and ئ need no
rules of their own. It names characters by their codes and never asks the locale what a letter
is. `search_words` are its words, without articles and single letters. `search_skeleton` is what
remains of a word without vowels and doubled letters, in either script: Mohamed, Muhammad and محمد
share it.
"""

from django.contrib.postgres.operations import (
    BtreeGistExtension,
    TrigramExtension,
    UnaccentExtension,
)
from django.db import migrations

FOLD = r"""
CREATE FUNCTION search_fold(text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(regexp_replace(btrim(regexp_replace(
    translate(
        lower(unaccent('unaccent'::regdictionary, regexp_replace(
            normalize($1, NFKD), '[\u0300-\u036f\u0621\u0640\u064b-\u065f\u0670]', '', 'g'
        ))),
        'ٱىةکی٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹',
        'ايهكي01234567890123456789'
    ),
    '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf'
    '\u060c\u061b\u061f\u066a-\u066d\u2000-\u206f]+', ' ', 'g'
)), '(^| )abd ?[aeu]l ?', '\1abdel', 'g'), '(^| )عبد ال', '\1عبدال', 'g')
"""
WORDS = r"""
CREATE FUNCTION search_words(text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ARRAY(
    SELECT DISTINCT word COLLATE "C"
    FROM (
        SELECT regexp_replace(part, '^ال(...)', '\1') AS word
        FROM unnest(string_to_array(search_fold($1), ' ')) AS part
        WHERE part NOT IN ('el', 'al')
    ) AS parts
    WHERE length(word) > 1
    ORDER BY 1
)
"""
WORDS_OF_LINES = """
CREATE FUNCTION search_words(text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ARRAY(
    SELECT DISTINCT word COLLATE "C"
    FROM unnest($1) AS line, unnest(search_words(line)) AS word
    ORDER BY 1
)
"""
# Letters of both scripts that stand for one sound come to one letter: sh and ش to c, kh and خ to x,
# gh and غ to v.
SKELETON = r"""
CREATE FUNCTION search_skeleton(text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(regexp_replace(regexp_replace(regexp_replace(
    translate(
        replace(replace(replace(replace(
            translate($1, 'cqjpv', 'kkgbf'), 'sh', 'c'), 'kh', 'x'), 'gh', 'v'), 'th', 't'),
        'ابتثجحخدذرزسشصضطظعغفقكلمنهوي',
        'abttghxdzrzscsdtzavfkklmnhwy'
    ),
    '^[aeiou]', 'a'), '(?!^)[aeiouwy]', '', 'g'), '(.)\1+', '\1', 'g'), '(.)h$', '\1')
"""


class Migration(migrations.Migration):
    initial = True
    run_before = [
        ("accounts", "0001_initial"),
        ("appointments", "0001_initial"),
        ("specializations", "0001_initial"),
    ]
    operations = [
        BtreeGistExtension(),
        TrigramExtension(),
        UnaccentExtension(),
        migrations.RunSQL(FOLD, "DROP FUNCTION search_fold(text)"),
        migrations.RunSQL(WORDS, "DROP FUNCTION search_words(text)"),
        migrations.RunSQL(WORDS_OF_LINES, "DROP FUNCTION search_words(text[])"),
        migrations.RunSQL(SKELETON, "DROP FUNCTION search_skeleton(text)"),
    ]
