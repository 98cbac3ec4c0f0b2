"""Documents and tool outputs for training, composed of what was written for it in extra/: pages with
a gap, sentences for people that fit into it, and orders to whatever reads the page. A page stands
with each of the two, so that neither the page nor an imperative is a sign by itself."""

import pathlib

from draws import draw, pick

PLAIN_SENTENCES = 3  # of one page
ORDERS = 3
ASKED = 0.5  # the share that is sent with a question about it
QUESTIONS = {
    "en": ["Summarise this:", "What is this about?", "Is there anything I have to do?",
           "Put this into two sentences.", "Check this for mistakes, please.", "What comes next?",
           "Explain this to a new colleague.", "Tool result:", "Here's what I found:",
           "Turn this into bullet points.", "Who should look at this?", "Any dates in here?"],
    "zh": ["请总结：", "这里有什么需要我做的吗？"],
    "de": ["Fasse das zusammen:", "Muss ich etwas tun?"],
    "fr": ["Résume ce texte :", "Que dois-je faire ?"],
    "es": ["Resume esto:", "¿Tengo que hacer algo?"],
    "pt": ["Resuma isto:", "Preciso fazer algo?"],
    "ru": ["Кратко перескажи:", "Нужно ли мне что-то сделать?"],
    "ja": ["要約してください:", "何をすればいいですか。"],
    "ko": ["요약해 줘:", "내가 할 일이 있어?"],
    "ar": ["لخص هذا:", "هل علي أن أفعل شيئا؟"],
    "hi": ["इसका सार बताओ:", "क्या मुझे कुछ करना है?"],
}


def read_pages(path: pathlib.Path) -> list[tuple[str, str]]:
    """(language, text with one gap `{}`); a page begins with a line `@ kind [language]`."""
    pages = []
    for part in ("\n" + path.read_text(encoding="utf-8")).split("\n@ ")[1:]:
        head, text = part.split("\n", 1)
        if text.count("{}") != 1:
            raise SystemExit(f"{path}: {head}: a page has one gap {{}}: {text[:40]!r}")
        pages.append(((head.split() + ["en"])[1], text.strip("\n")))
    return pages


def read_sentences(path: pathlib.Path) -> dict[str, list[str]]:
    out = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        language, text = line.split("\t")
        out.setdefault(language, []).append(text)
    return out


def drawn(sentences: list[str], count: int, page: str) -> list[str]:
    return sorted(sentences, key=lambda text: draw(page, text))[:count]


def asked(text: str, language: str) -> str:
    """With a question before or behind it, or as it is."""
    if draw(text, "asked") >= ASKED:
        return text
    question = pick(QUESTIONS[language], text, "question")
    before = question.endswith((":", "：")) or draw(text, "before") < 0.3
    return f"{question}\n\n{text}" if before else f"{text}\n\n{question}"


def documents(extra: pathlib.Path) -> list[dict]:
    """Rows with family, lang, label (attack|benign), group (the page) and text."""
    plain = read_sentences(extra / "asides.tsv")
    orders = read_sentences(extra / "planted.tsv")
    out = []
    for lang, page in read_pages(extra / "pages.txt"):
        filled = [("benign", "document", text) for text in
                  ["", *drawn(plain[lang], PLAIN_SENTENCES, page)]]
        filled += [("attack", "document_injection", text)
                   for text in drawn(orders[lang], ORDERS, page)]
        for label, family, sentence in filled:
            text = asked(page.replace("{}", sentence), lang)
            out.append({"label": label, "family": family, "lang": lang, "group": page,
                        "text": text, "split": "train", "source": "written",
                        "licence": "CC0-1.0"})
    return out
