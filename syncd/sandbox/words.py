"""Words of many languages from which seeded names and texts are made.

They hold what breaks careless code: quotes, `<`, `&`, braces, emoji, right-to-left letters,
combining signs, a leading `!`, a non-breaking space (the API sheet, section 10, point 20).
"""

from __future__ import annotations

FIRST_NAMES = [
    "Олена",
    "Іван",
    "Марія",
    "Тарас",
    "Юлія",
    "Anna",
    "John",
    "Emily",
    "Piotr",
    "Łucja",
    "Jürgen",
    "Käthe",
    "Дмитрий",
    "Ольга",
    "Ελένη",
    "Νίκος",
    "ليلى",
    "عمر",
    "花子",
    "太郎",
    "Zoë",
    "Sean",
    "Ґалаґан",
    "Siân",
]
LAST_NAMES = [
    "Шевченко",
    "Коваль",
    "Мельник",
    "Smith",
    "O'Neill",
    "Brown",
    "Wiśniewska",
    "Żółć",
    "Müller",
    "Groß",
    "Иванов",
    "Соколова",
    "Παπαδοπούλου",
    "حداد",
    "山田",
    "佐藤",
    "Dvořák",
    "Núñez-Smith",
    "D'Angelo",
    "Їжак",
]
POSITIONS = ("Designer", "Розробник", "Projektleiter", "Księgowa", "Менеджер", "")

SUBJECTS = (
    "landing page",
    "договір з клієнтом",
    "raport kwartalny",
    "Größentabelle",
    "смету «под ключ»",
    "την προσφορά",
    "العرض التقديمي",
    "見積書",
    "logo & banner",
    "<header> block",
    '"Owl" brand book',
    "résumé of Q3",
    "бюджет 100 %",
    "e-mail's subject",
    "API\u00a0keys",
    "🚀 release",
    "C:\\temp\\export",
    "SQL; -- dump",
)
VERBS = (
    "Prepare",
    "Check",
    "Підготувати",
    "Узгодити",
    "Przygotować",
    "Sprawdzić",
    "Prüfen:",
    "Übersetzen:",
    "Подготовить",
    "Согласовать",
    "Ελέγξτε",
    "راجع",
    "確認：",
    "Re:",
    "Fix",
)
LABELS = ("", "", "", "", "", "", "", "{sprint 4} ", "[QA] ", "! ", "!!! ", "✅ ", "#12 ", "{…} ")

PROJECTS = (
    "Owl brand launch",
    "Сайт «Ластівка»",
    "Wdrożenie CRM & ERP",
    "Jahresabschluss",
    "Ремонт офиса",
    "Ανακαίνιση",
    "تطبيق الهاتف",
    "新製品",
    "R&D <lab>",
    "Підтримка 24/7 ☎",
)
COMPANIES = ("Clients", "Клієнти", "Internal", "Müller & Söhne", "")

SENTENCES = (
    "Please look at the attached draft before Friday.",
    "Перевірити всі посилання й підписи на сторінці.",
    "Proszę o akceptację do końca tygodnia – pilne!",
    "Bitte die Maße (ca. 1,5 × 2 m) noch einmal prüfen.",
    "Нужно согласовать цену: 12 500,00 грн & НДС.",
    "Δείτε το αρχείο <v2> και απαντήστε.",
    "يرجى المراجعة قبل الاجتماع.",
    "金曜日までに確認してください。",
    "See https://example.com/?a=1&b=2#c for details.",
    "Ok 👍🏽 — done & dusted 🎉",
    "\t• indented, 5 > 3 and 2 < 4; 100% \"sure\" 'maybe'",
)
ITEMS = ("макет", "copy", "grafika", "Farben", "цена", "τιμή", "ثمن", "価格", "tests & docs")
FILE_NAMES = (
    "req.doc",
    "кошторис.xlsx",
    "zdjęcie №1.png",
    "Größe.pdf",
    'quote "final" (2).pdf',
    "見積.zip",
    "عرض.pptx",
    "data.json",
    "no extension",
)

TAG_GROUPS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    (
        "Status",
        "status",
        "public",
        ("To-do", "В работе", "In review", "Готово", "Blocked"),
    ),
    (
        "Labels",
        "label",
        "public",
        ("10%", "urgent", "bug", "Design, print", "терміново", "日本", "R&D", "Blocked"),
    ),
    ("Етапи", "status", "public", ("Аналіз", "Дизайн", "Розробка")),
    ("Private", "label", "private", ("confidential", "💰 paid")),
)
"""Title, type, access, tags: "Blocked" is in two groups, one name holds a comma, and the last
group is attached to few projects."""
