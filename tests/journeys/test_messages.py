"""What is said untranslated, left over or with other placeholders is named."""

from pathlib import Path

from tools.messages import complaints

CATALOGUE = 'msgid "Known"\nmsgstr "已知"\n\nmsgid "Left over"\nmsgstr "多余"\n\n'
CATALOGUE += 'msgid "%(n)d doses"\nmsgstr "%(m)d 剂"\n'
HEADER = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'


def test_a_catalogue_that_does_not_fit_is_told(tmp_path: Path) -> None:
    service = tmp_path / "eye_care"
    folder = service / "locale/zh_Hans/LC_MESSAGES"
    folder.mkdir(parents=True)
    (service / "templates").mkdir()
    (service / "templates/page.html").write_text(
        '{{ _("Known") }} {{ _("In a template") }} {{ _("%(n)d doses", n=1) }}'
    )
    (service / "manifest.py").write_text(
        'service = Service("eye_care", "Eye care", pages=[Page("/", "p", f, "Eyes")])'
    )
    (folder / "messages.po").write_text(HEADER + CATALOGUE, "utf-8")
    (folder / "fhir.po").write_text(HEADER + 'msgctxt "type"\nmsgid "Visit"\nmsgstr "就诊"\n', "utf-8")
    assert list(complaints(service)) == [
        "eye_care: not translated: 'Eye care'",
        "eye_care: not translated: 'Eyes'",
        "eye_care: not translated: 'In a template'",
        "eye_care: no page says: 'Left over'",
        "eye_care: placeholders differ: '%(n)d doses' and '%(m)d 剂'",
        "eye_care: FHIR has no type 'Visit'",
    ]
