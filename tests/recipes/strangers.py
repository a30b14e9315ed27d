"""Files as strangers have them: each kind as its tool or its office writes it, small, in several languages."""

import csv
import io
import json
import zipfile
from xml.sax.saxutils import escape

GERMAN = {"Lob": ["Sehr gutes Gerät, läuft leise", "Bin zufrieden; gerne wieder", "Größe passt, schöne Farbe",
                  "Super Qualität zum fairen Preis"],
          "Kritik": ["Nach 2 Wochen kaputt", "Lieferung kam zu spät, Karton beschädigt", "Zu laut; nicht zu empfehlen",
                     "Kundendienst antwortet nicht"]}
SPANISH = {"sí": ["me gustó mucho, ¡gracias!", "muy rápido y barato", "el niño está contento", "volveré a comprar"],
           "no": ["llegó roto", "no funciona, qué lástima", "demasiado caro", "atención pésima"]}
RUSSIAN = {"жалоба": ["не работает экран", "посылка пришла поздно", "сломалось на второй день", "нет ответа"],
           "вопрос": ["как сменить пароль?", "когда доставка?", "где мой заказ?", "можно ли вернуть?"]}


def labelled(texts, count):
    """Return (text, label) rows, each text numbered so that no two are equal."""
    pairs = [(text, label) for of_label in zip(*([(text, label) for text in part] for label, part in texts.items()),
                                               strict=True) for text, label in of_label]
    return [(f"{pairs[i % len(pairs)][0]} ({i + 1})", pairs[i % len(pairs)][1]) for i in range(count)]


def table(rows, encoding="utf-8", **dialect):
    """Return the bytes of a table."""
    out = io.StringIO(newline="")
    csv.writer(out, **dialect).writerows(rows)
    return out.getvalue().encode(encoding)


def semicolons(count):
    """A German Excel's CSV: a mark in front, semicolons, decimal commas, line ends in cells, an empty last row."""
    rows = [("Nr", "Datum", "Text", "Sterne", "Label")]
    rows += [(i, f"{i % 28 + 1:02}.03.2024", text.replace(", ", ",\n"), f"{i % 5},5", label)
             for i, (text, label) in enumerate(labelled(GERMAN, count))]
    return table([*rows, ("",) * 5], "utf-8-sig", delimiter=";", lineterminator="\r\n")


def windows(count):
    """A Spanish Excel's CSV in the code page of Windows, with curly quotes."""
    rows = [("Text", "Label")] + [(f"\u201c{text}\u201d \u2013 fin", label) for text, label in labelled(SPANISH, count)]
    return table(rows, "cp1252", delimiter=";", lineterminator="\r\n")


def pandas_tsv(count):
    """A frame of pandas with its index: to_csv(sep="\\t") quotes cells with quotes, tabs and line ends."""
    rows = [("", "text", "label", "score")]
    rows += [(i, f'Он сказал: "{text}"\nи ушёл\tдомой' if i % 3 == 0 else text, label, "" if i % 4 else i / 7)
             for i, (text, label) in enumerate(labelled(RUSSIAN, count))]
    return table(rows, delimiter="\t", lineterminator="\n")


def xlsx(count):
    """A sheet with its title in Japanese, numbers as labels, a formula's value and an empty row at the end."""
    happy = {"1": ["とても良い映画", "最高でした", "また見たい", "音楽が素敵"],
             "0": ["つまらない", "長すぎる", "眠くなった", "期待はずれ"]}
    rows = [("番号", "text", "label")]
    rows += [(str(i), text, label) for i, (text, label) in enumerate(labelled(happy, count))]
    cells = ["".join(f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' if column != 2 or not n else
                     f"<c><f>A1</f><v>{cell}</v></c>" for column, cell in enumerate(row)) for n, row in enumerate(rows)]
    sheet = "".join(f"<row>{row}</row>" for row in [*cells, ""])
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    links = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    kind, package = "application/vnd.openxmlformats-", "http://schemas.openxmlformats.org/package/2006"
    book = f"{kind}officedocument.spreadsheetml"
    files = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
                               f'ContentType="{kind}package.relationships+xml"/>'
                               f'<Override PartName="/xl/workbook.xml" ContentType="{book}.sheet.main+xml"/>'
                               f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{book}.worksheet+xml"/>'
                               "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
                       f'Type="{links}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {space} xmlns:r="{links}"><sheets><sheet name="シート1" sheetId="1" '
                           'r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
                                      f'Type="{links}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f"<worksheet {space}><sheetData>{sheet}</sheetData></worksheet>"}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def label_studio(count):
    """Label Studio's export: keys in another order, tasks that were skipped, two annotators of one task."""
    rows = []
    for i, (text, label) in enumerate(labelled({"positivo": SPANISH["sí"], "negativo": SPANISH["no"]}, count)):
        done = {"was_cancelled": False, "result": [{"type": "choices", "to_name": "texto", "from_name": "sentimiento",
                                                    "value": {"choices": [label]}, "id": f"r{i}"}], "id": i}
        rows.append({"predictions": [], "annotations": [done], "data": {"texto": text, "idioma": "es"}, "id": i})
    rows.append({"data": {"texto": "saltado"}, "annotations": [{"was_cancelled": True, "result": []}], "id": count})
    return json.dumps(rows, ensure_ascii=False, indent=2).encode()


NAMES = {"PER": ["Anna Wójcik", "Jan Kowalski", "O. Şahin", "Zoë"], "ORT": ["Łódź", "İzmir", "Köln", "São Paulo"]}


def sentences(count):
    """Return (text, [(start, end, label)]) of sentences with a person and a place."""
    rows = []
    for i in range(count):
        person, place = NAMES["PER"][i % 4], NAMES["ORT"][i // 4 % 4]
        text = f"{person} mieszka w {place} od {1990 + i}."
        at = text.index(place, len(person))
        rows.append((text, [(0, len(person), "PER"), (at, at + len(place), "ORT")]))
    return rows


def prodigy(count):
    """Prodigy's ner.manual: rejected and ignored rows, one without spans, hashes and views."""
    rows = [{"_input_hash": i, "answer": "accept", "spans": [
        {"start": start, "end": end, "label": label, "source": "ner"} for start, end, label in spans],
        "meta": {"page": i}, "text": text, "_view_id": "ner_manual"}
        for i, (text, spans) in enumerate(sentences(count))]
    rows += [{"text": "Nikt.", "answer": "accept"}, {"text": "Anna?", "answer": "reject", "spans": []},
             {"text": "?", "answer": "ignore"}]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def webanno(count):
    """WebAnno TSV 3: two layers of which one is empty, spans that are numbered, blank lines between sentences."""
    lines = ["#FORMAT=WebAnno TSV 3.3", "#T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|identifier|value",
             "", ""]
    before, number = 0, 0
    for line, (text, spans) in enumerate(sentences(count), start=1):
        lines.append(f"#Text={text}")
        at, words = 0, []
        for word in text.replace(".", " .").split():
            at = text.index(word, at)
            words.append((at, at + len(word), word))
            at += len(word)
        marks = {}
        for start, end, label in spans:
            inside = [i for i, (a, b, _) in enumerate(words) if start <= a and b <= end]
            number += len(inside) > 1
            marks |= dict.fromkeys(inside, f"{label}[{number}]" if len(inside) > 1 else label)
        for i, (start, end, word) in enumerate(words):
            mark = marks.get(i, "_")
            empty = "*" + mark[mark.index("["):] if "[" in mark else "*" if mark != "_" else "_"
            lines.append(f"{line}-{i + 1}\t{before + start}-{before + end}\t{word}\t{empty}\t{mark}\t")
        lines.append("")
        before += len(text) + 1
    return "\n".join(lines).encode()


def french(count):
    """Columns of a French project in the code page of Windows: a number, the word, its tag; blanks for tabs."""
    who, where = ["Éloïse Lefèvre", "Jean-Noël Œuvrard", "François"], ["Orléans", "Besançon", "Saint-Étienne"]
    out = []
    for i in range(count):
        words = [*((word, "I-PERS" if k else "B-PERS") for k, word in enumerate(who[i % 3].split())), ("habite", "O"),
                 ("à", "O"), (where[i // 3 % 3], "B-LIEU"), (f"depuis{i}", "O"), ("l\u2019été", "O"), (".", "O")]
        out += [f"{k} {word} {tag}" for k, (word, tag) in enumerate(words, start=1)] + [""]
    return "\r\n".join([*out, ""]).encode("cp1252")


def squad(count):
    """A tool's SQuAD 1.1 with the key of 2.0: is_impossible is false everywhere, ids are numbers, keys in any order."""
    facts = [("Η Άννα μένει στην Αθήνα.", "Πού μένει η Άννα;", "Αθήνα"),
             ("Ο Γιώργος δουλεύει στη Χίο.", "Πού δουλεύει;", "Χίο"),
             ("Le chat dort sous la table.", "Où dort le chat ?", "sous la table"),
             ("东京是日本的首都。", "日本的首都是哪里？", "东京")]
    paragraphs = []
    for i in range(count):
        context, question, answer = facts[i % 4]
        context = f"{i}. {context}"
        paragraphs.append({"qas": [{"answers": [{"answer_start": context.index(answer), "text": answer}], "id": i,
                                    "is_impossible": False, "question": question}], "context": context})
    return json.dumps({"data": [{"paragraphs": paragraphs, "title": "t"}], "version": "1"}, ensure_ascii=False).encode()


# kind -> (the task, the end of the file's name, what writes it, words of the command line)
FILES = {
    "semicolon CSV": ("classify", "csv", semicolons, ()),
    "CSV of Windows": ("classify", "csv", windows, ()),
    "TSV of pandas": ("classify", "tsv", pandas_tsv, ()),
    "xlsx": ("classify", "xlsx", xlsx, ()),
    "Label Studio": ("classify", "json", label_studio, ("--text", "texto")),
    "Prodigy": ("tag", "jsonl", prodigy, ()),
    "WebAnno": ("tag", "tsv", webanno, ()),
    "French columns": ("tag", "txt", french, ()),
    "SQuAD with is_impossible": ("answer", "json", squad, ()),
}
