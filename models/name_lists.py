"""Names, towns and street words by language, from the package Faker (MIT), and people and addresses
drawn from them. Everything takes the random generator that the caller seeded."""

import importlib
import pathlib
import pkgutil
import unicodedata

import faker.providers.address
import faker.providers.person

HERE = pathlib.Path(__file__).resolve().parent
GIVEN, FAMILY, PLACE, COMMON, FAMOUS, PARTICLE, STREET, BODY = (1 << i for i in range(8))

PARTICLES = (
    "van von der den de da di du del della dos das do la le el al bin ibn bint ben abu ter ten zu "
    "zum zur y e af av san st ap mac"
).split()
STREETS = (
    "Street St Road Rd Avenue Ave Lane Ln Drive Dr Boulevard Blvd Court Ct Place Pl Square Sq Way "
    "Terrace Close Crescent Highway Hwy Parkway Row Grove Gardens Circle Alley Walk Hill Mews "
    "Apt Apartment Suite Ste Unit Flat Floor Room Building Block House Box PSC APO FPO No Nr "
    "rue avenue boulevard chemin place impasse allée quai cours route "
    "Straße Strasse Str Weg Gasse Platz Allee Ring Ufer Damm Chaussee "
    "calle Calle Avenida Paseo Plaza Camino Ronda Carrer Rua Travessa Alameda Praça Largo "
    "via Via Viale Piazza Corso Vicolo Largo ul ulica Ulica aleja Aleja plac os Osiedle "
    "Nagar Marg Sector Colony Chowk Jalan Gang Sokak Cadde Mahallesi ulitsa prospekt Straat Laan"
).split()
BODIES = (
    "Inc Ltd LLC Corp Corporation Company Co GmbH AG SE SA SpA PLC Group Holdings Partners Bank "
    "University College School Institute Hospital Clinic Foundation Association Agency Ministry "
    "Department Council Committee Court Church Airlines Insurance Logistics Studio Labs Systems "
    "Solutions Technologies Industries Bakery Hotel Restaurant Club Museum Library Theatre "
    "Orchestra Bureau Union Society Services Consulting Analytics Freight Media Foods Energy"
).split()
FIRM_WORDS = (
    "Blue Northern Silver Global First United Pacific Alpine River Harbour Summit Bright Green "
    "Oak Stone Maple Golden Atlas Orbit Delta Nova Crystal Iron Falcon Meadow Prime Union"
).split()
TRANSLITERATION = dict(zip(
    "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґ",
    "a b v g d e zh z i y k l m n o p r s t u f kh ts ch sh shch  y  e yu ya yo i yi ye g".split(" ")))

# How often names of a language are drawn.
SHARES = {
    "en_US": 14, "en_GB": 8, "en_IE": 4, "en_NZ": 2, "en": 4, "en_IN": 10, "en_PK": 7, "en_KE": 4,
    "en_NG": 1, "de_DE": 6, "de_AT": 2, "de_CH": 2, "fr_FR": 6, "es_ES": 5, "es_MX": 3, "it_IT": 5,
    "pt_BR": 4, "nl_NL": 4, "sv_SE": 3, "da_DK": 3, "no_NO": 3, "fi_FI": 3, "pl_PL": 4, "cs_CZ": 3,
    "sk_SK": 1, "hu_HU": 3, "ro_RO": 2, "hr_HR": 2, "sl_SI": 2, "tr_TR": 3, "id_ID": 2, "vi_VN": 2,
    "az_AZ": 2, "et_EE": 1, "lt_LT": 1, "lv_LV": 1, "is_IS": 1, "ja_JP": 5, "zh_CN": 4, "zh_TW": 2,
    "ru_RU": 5, "uk_UA": 3, "bg_BG": 2, "el_GR": 1, "tw_GH": 1, "yo_NG": 1, "ig_NG": 1, "ha_NG": 1,
    "zu_ZA": 1, "ga_IE": 1, "fr_CH": 1, "es_CO": 2, "es_AR": 1, "ar_DZ": 0,
}


def latin(name: str) -> str:
    lower = name.lower()
    if not any(c in TRANSLITERATION for c in lower):
        return name
    return "".join(TRANSLITERATION.get(c, c) for c in lower).title()


def is_latin(name: str) -> bool:
    return all(unicodedata.name(c, "").startswith("LATIN") or c in " -'’." for c in name)


def strings(provider, *attributes) -> list[str]:
    found = {}
    for attribute in attributes:
        value = getattr(provider, attribute, None) or ()
        if not isinstance(value, (tuple, list, dict)):
            continue
        for one in value:
            if isinstance(one, tuple):
                one = one[-1]
            if isinstance(one, str):
                found[one] = None
    return sorted(found)


def modules(package):
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        yield module.name, importlib.import_module(f"{package.__name__}.{module.name}").Provider


class Lists:
    def __init__(self):
        self.given, self.family, self.native = {}, {}, {}
        for locale, provider in modules(faker.providers.person):
            given = strings(provider, "first_names", "first_names_male", "first_names_female",
                            "first_names_unisex", "first_names_nonbinary")
            family = strings(provider, "last_names", "last_names_male", "last_names_female",
                             "last_names_unisex")
            if locale in ("ru_RU", "uk_UA", "bg_BG", "el_GR"):
                self.native[locale] = (given, family)
            if locale == "ja_JP":
                romanised = [strings(provider, f"{part}_romanized_{kind}_names")
                             for part in ("first", "last") for kind in ("male", "female")]
                pairs = [strings(provider, "first_name_male_pairs", "first_name_female_pairs",
                                 "first_name_pairs"), strings(provider, "last_name_pairs")]
                given = pairs[0] or romanised[0] + romanised[1]
                family = pairs[1] or romanised[2] + romanised[3]
            if locale in ("zh_CN", "zh_TW"):
                self.native[locale] = (given, family)
                given = strings(provider, "first_romanized_names")
                family = strings(provider, "last_romanized_names")
            given = [n for n in map(latin, given) if is_latin(n) and len(n) > 1]
            family = [n for n in map(latin, family) if is_latin(n) and len(n) > 1]
            if given and family:
                self.given[locale], self.family[locale] = given, family
        self.towns, self.countries, self.street_names = {}, {}, {}
        for locale, provider in modules(faker.providers.address):
            for target, attributes in ((self.towns, ("cities", "states", "provinces", "counties")),
                                       (self.countries, ("countries",)),
                                       (self.street_names, ("streets", "street_names"))):
                names = [n for n in strings(provider, *attributes) if is_latin(n) and len(n) > 2]
                if names and locale not in ("it_IT", "nl_NL") or target is not self.towns:
                    target[locale] = names
                else:
                    target[locale] = names[::8]
        self.famous, self.famous_zh, target = [], [], None
        for line in (HERE / "famous.txt").read_text().splitlines():
            if line.startswith("[zh]"):
                target = self.famous_zh
            elif line and not line.startswith("#"):
                (self.famous if target is None else target).append(line)
        self.locales = [k for k in SHARES if k in self.given]
        self.shares = [SHARES[k] for k in self.locales]

    def lexicon(self) -> dict[str, int]:
        flags: dict[str, int] = {}

        def add(names, flag):
            for name in names:
                for word in name.replace("’", "'").split():
                    word = word.strip(".,()")
                    if len(word) > 1:
                        flags[word.lower()] = flags.get(word.lower(), 0) | flag

        for locale in self.given:
            add((n for n in self.given[locale] if n.lower() not in PARTICLES), GIVEN)
            add((n for n in self.family[locale]), FAMILY)
        for given, family in self.native.values():
            add((n for n in given if not "一" <= n[0] <= "鿿"), GIVEN)
            add((n for n in family if not "一" <= n[0] <= "鿿"), FAMILY)
        for names in (*self.towns.values(), *self.countries.values()):
            add(names, PLACE)
        # "Einstein" says who is meant, "Albert" and "Smith" do not.
        for name in self.famous:
            last = name.split()[-1]
            if last == name or not flags.get(last.lower(), 0) & (GIVEN | FAMILY):
                add((last,), FAMOUS)
        for words, flag in ((PARTICLES, PARTICLE), (STREETS, STREET), (BODIES, BODY)):
            for word in words:
                # A particle is no name by itself.
                old = flags.get(word.lower(), 0)
                flags[word.lower()] = (flag if flag == PARTICLE else old | flag)
        return flags


# By language: form, code, locales of the names. {s} a surname, {n} a house number, {m} another number,
# {c} the code, {t} a town.
NATIVE_ADDRESSES = {
    "de": [
        ("{s}straße {n}, {c} {t}", "#####", ("de_DE",)), ("{s}str. {n}, {c} {t}", "#####", ("de_DE",)),
        ("{s}weg {n}, {c} {t}", "#####", ("de_DE",)), ("{s}gasse {n}/{m}, {c} {t}", "####", ("de_AT",)),
        ("{s}strasse {n}, {c} {t}", "####", ("de_CH",)), ("Am {s} {n}, {c} {t}", "#####", ("de_DE",)),
        ("{s}er Straße {n}, {c} {t}", "#####", ("de_DE",)), ("{s}platz {n}, {c} {t}", "#####", ("de_DE",)),
    ],
    "fr": [
        ("{n} rue {s}, {c} {t}", "#####", ("fr_FR",)), ("{n}, rue de {s}, {c} {t}", "#####", ("fr_FR",)),
        ("{n} bis avenue {s}, {c} {t}", "#####", ("fr_FR",)), ("{n} boulevard {s}, {c} {t}", "#####", ("fr_FR",)),
        ("{n} place de la {s}, {c} {t}", "#####", ("fr_FR",)), ("rue {s} {n}, {c} {t}", "####", ("fr_FR",)),
        ("{n} chemin des {s}, {c} {t}", "#####", ("fr_FR",)), ("{n} impasse {s}, {c} {t}", "#####", ("fr_FR",)),
        ("{n} rue {s}, {t}, QC H2X 1Y4", "#", ("fr_FR",)),
    ],
    "es": [
        ("Calle {s}, {n}, {c} {t}", "#####", ("es_ES",)), ("Calle de {s} {n}, {m}º B, {c} {t}", "#####", ("es_ES",)),
        ("Avenida {s} {n}, {c} {t}", "#####", ("es_ES", "es_MX")), ("C/ {s} {n}, {c} {t}", "#####", ("es_ES",)),
        ("Plaza {s}, {n}, {c} {t}", "#####", ("es_ES",)), ("Av. {s} {n}, Col. Centro, {c} {t}", "#####", ("es_MX",)),
    ],
    "it": [
        ("Via {s} {n}, {c} {t}", "#####", ("it_IT",)), ("Via {s}, {n}, {c} {t}", "#####", ("it_IT",)),
        ("Viale {s} {n}, {c} {t}", "#####", ("it_IT",)), ("Piazza {s} {n}, {c} {t}", "#####", ("it_IT",)),
        ("Corso {s} {n}, {c} {t} (MI)", "#####", ("it_IT",)),
    ],
    "pt": [
        ("Rua {s}, {n}, {c} {t}", "####-###", ("pt_BR",)), ("Rua {s}, {n}, apto {m}, {t} - SP, {c}", "#####-###", ("pt_BR",)),
        ("Avenida {s}, {n}, {t} - RJ, {c}", "#####-###", ("pt_BR",)), ("Av. {s}, {n} - Centro, {t} - MG, {c}", "#####-###", ("pt_BR",)),
        ("Travessa {s} {n}, {c} {t}", "####-###", ("pt_BR",)),
    ],
    "nl": [
        ("{s}straat {n}, {c} AB {t}", "####", ("nl_NL",)), ("{s}laan {n}, {c} KL {t}", "####", ("nl_NL",)),
        ("{s}weg {n}, {c} XD {t}", "####", ("nl_NL",)), ("{s}straat {n}, {c} {t}", "####", ("nl_NL",)),
        ("{s}gracht {n}, {c} EH {t}", "####", ("nl_NL",)),
    ],
    "pl": [
        ("ul. {s} {n}/{m}, {c} {t}", "##-###", ("pl_PL",)), ("ul. {s} {n}, {c} {t}", "##-###", ("pl_PL",)),
        ("al. {s} {n}, {c} {t}", "##-###", ("pl_PL",)), ("os. {s} {n}, {c} {t}", "##-###", ("pl_PL",)),
    ],
    "sv": [("{s}gatan {n}, {c} {t}", "### ##", ("sv_SE",)), ("{s}vägen {n}, {c} {t}", "### ##", ("sv_SE",))],
    "da": [("{s}gade {n}, {c} {t}", "####", ("da_DK",)), ("{s}vej {n}, {m}. tv, {c} {t}", "####", ("da_DK",))],
    "no": [("{s}gata {n}, {c} {t}", "####", ("no_NO",)), ("{s}veien {n}, {c} {t}", "####", ("no_NO",))],
    "fi": [("{s}katu {n}, {c} {t}", "#####", ("fi_FI",)), ("{s}tie {n} A {m}, {c} {t}", "#####", ("fi_FI",))],
    "cs": [("{s} {n}, {c} {t}", "### ##", ("cs_CZ",)), ("{s}ova {n}/{m}, {c} {t}", "### ##", ("cs_CZ",))],
    "tr": [("{s} Caddesi No: {n}, {c} {t}", "#####", ("tr_TR",)), ("{s} Sokak {n}, {c} {t}", "#####", ("tr_TR",))],
    "id": [("Jl. {s} No. {n}, {t} {c}", "#####", ("id_ID",))],
    "en": [
        ("{n} {s} Street, Dublin {m}, D02 AF30", "#", ("en_IE",)), ("{n} {s} Road, {t}, Co. Cork", "#", ("en_IE",)),
        ("{n} {s} Lane, {t} LS1 4AB", "#", ("en_GB",)), ("Flat {m}, {n} {s} Road, {t} SE2 9ET", "#", ("en_GB",)),
        ("{n} {s} St, {t}, ON M5V 2T6", "#", ("en_US",)), ("{n} {s} Street, {t} NSW {c}", "2###", ("en_US",)),
        ("{n} {s} Road, Andheri, {t} {c}", "######", ("en_IN",)), ("{n}, {s} Nagar, {t} {c}", "######", ("en_IN",)),
    ],
}


class Draw:
    """People, addresses and other fillers."""

    def __init__(self, lists: Lists, random):
        self.lists, self.random = lists, random
        self.words = ["sample"]  # ordinary words, for surnames; set by whoever knows some

    def chance(self, p: float) -> bool:
        return self.random.random() < p

    def pick(self, options):
        return options[self.random.randrange(len(options))]

    def locale(self, language: str) -> str:
        wanted = {"de": ("de_DE", "de_AT", "de_CH"), "fr": ("fr_FR", "fr_CH"),
                  "es": ("es_ES", "es_MX", "es_CO"), "it": ("it_IT",), "pt": ("pt_BR",),
                  "pl": ("pl_PL",), "nl": ("nl_NL",), "sv": ("sv_SE",), "da": ("da_DK",),
                  "no": ("no_NO",), "fi": ("fi_FI",), "cs": ("cs_CZ", "sk_SK"), "hu": ("hu_HU",),
                  "ro": ("ro_RO",), "tr": ("tr_TR",), "id": ("id_ID",), "vi": ("vi_VN",)}.get(language)
        if wanted and self.chance(0.8):
            return self.pick(wanted)
        return self.random.choices(self.lists.locales, self.lists.shares)[0]

    def cased(self, name: str) -> str:
        return name.upper() if self.chance(0.04) else name

    def given(self, locale: str) -> str:
        return self.pick(self.lists.given[locale])

    def made_up(self) -> str:
        """A surname that no list has: an ordinary word, or syllables."""
        if self.chance(0.5):
            return self.pick(self.words).capitalize()
        syllables = ("ba be bo da de do fa ga ha hu ja ka ki ko la le li lo ma me mi mo na ne ni no "
                     "pa pe ra re ri ro sa se si so ta te ti to va ve vi vo wa ya za zo").split()
        endings = ("n", "r", "s", "ck", "ski", "son", "man", "ley", "ton", "ic", "ez", "ini", "ov", "sen", "ya", "")
        return ("".join(self.pick(syllables) for _ in range(self.random.randrange(2, 4))) +
                self.pick(endings)).capitalize()

    def family(self, locale: str) -> str:
        name = self.made_up() if self.chance(0.2) else self.pick(self.lists.family[locale])
        if self.chance(0.04):
            name += "-" + self.pick(self.lists.family[locale])
        if self.chance(0.03):
            particle = self.pick(("van", "von", "de", "van der", "de la", "di", "bin", "al-", "El "))
            name = particle + ("" if particle[-1] in "- " else " ") + name
        return name

    def chinese(self) -> str:
        given, family = self.lists.native["zh_CN" if self.chance(0.85) else "zh_TW"]
        name = self.pick(given)
        if self.chance(0.4):
            name = self.pick("".join(g for g in given))  # one character
        elif self.chance(0.15):
            name = "小" + self.pick(self.pick(given))
        elif self.chance(0.5):
            name = self.pick(self.pick(given)) + self.pick(self.pick(given))
        return self.pick(family) + name[:2]

    def person(self, language: str) -> str:
        if language == "zh":
            return self.chinese()
        if language in ("ru", "uk"):
            given, family = self.lists.native["ru_RU" if language == "ru" else "uk_UA"]
            return f"{self.pick(given)} {self.pick(family)}"
        locale = self.locale(language)
        given, family = self.given(locale), self.family(locale)
        kind = self.random.random()
        if locale == "zh_CN" and kind < 0.4:
            return self.cased(f"{family} {given}")
        if kind < 0.68:
            name = f"{given} {family}"
        elif kind < 0.80:
            name = f"{given} {self.pick('ABCDEFGHIJKLMNOPRSTVW')}{self.pick(('.', '.', ''))} {family}"
        elif kind < 0.87:
            name = f"{given} {self.given(locale)} {family}"
        elif kind < 0.91:
            name = f"{given[0]}. {family}"
        elif kind < 0.94:
            name = f"{given}-{self.given(locale)} {family}"
        else:
            name = given
        return self.cased(name)

    def town(self) -> str:
        if self.chance(0.2):  # towns that no list has
            stem = self.pick(self.lists.family[self.locale("")])
            return self.pick((f"San {stem}", f"{stem}ville", f"{stem}burg", f"{stem} Springs",
                              f"Saint-{stem}", f"{stem}stad", f"Port {stem}", f"{stem}by"))
        names = self.lists.towns[self.pick(list(self.lists.towns))]
        town = self.pick(names) if names else "Berlin"
        return town.upper() if self.chance(0.06) else town

    def country(self) -> str:
        locale = self.pick(("en_US", "fr_FR", "nl_NL", "sv_SE", "en_US", "en_US"))
        return self.pick(self.lists.countries.get(locale) or ["Germany", "Spain", "Canada"])

    def organisation(self) -> str:
        stem = self.pick(FIRM_WORDS) if self.chance(0.6) else self.pick(
            self.lists.family[self.locale("")])
        kind = self.random.random()
        if kind < 0.5:
            return f"{stem} {self.pick(BODIES)}"
        if kind < 0.7:
            return f"{stem} {self.pick(FIRM_WORDS)} {self.pick(BODIES)}"
        if kind < 0.8:
            other = self.pick(self.lists.family["en_US"])
            return f"{self.pick(self.lists.family['en_US'])}, {other} and {stem}"
        return f"{stem} & {self.pick(FIRM_WORDS)}" if kind < 0.85 else f"{stem}{self.pick(('soft', 'tech', 'ia', 'data'))}"

    def number(self) -> str:
        return str(self.random.randrange(1, 10 ** self.random.randrange(1, 5)))

    def street(self) -> str:
        locale = self.locale("")
        stem = (self.pick(self.lists.street_names["da_DK"]) if self.chance(0.1)
                else self.pick(self.lists.family[locale] if self.chance(0.6)
                               else self.lists.given[locale]))
        n = self.number()
        if self.chance(0.1):
            n += self.pick("ABCab")
        kind = self.random.random()
        if kind < 0.5:
            compass = self.pick(("North ", "W. ", "S ", "Old ", "Upper ", "St. ")) if self.chance(0.15) else ""
            suffix = self.pick(STREETS[:35]) if self.chance(0.6) else self.pick(
                ("Street", "Road", "Avenue", "Lane", "Drive", "St.", "Rd", "Ave", "Way", "Court"))
            return f"{n} {compass}{stem} {suffix}"
        if kind < 0.6:
            return f"{stem}{self.pick(('straße', 'strasse', 'weg', 'gasse', 'platz', 'allee', 'str.'))} {n}"
        if kind < 0.68:
            way = self.pick(("rue", "avenue", "boulevard", "place", "chemin", "Rue", "quai"))
            of = self.pick(("", "de ", "du ", "des ", "de la "))
            return f"{n}{self.pick((', ', ' '))}{way} {of}{stem}"
        if kind < 0.75:
            way = self.pick(("Calle", "Avenida", "Paseo", "Plaza", "Rua", "Travessa", "C/"))
            return f"{way} {self.pick(('', 'de ', 'del ', 'da '))}{stem}{self.pick((' ', ', '))}{n}"
        if kind < 0.81:
            return f"{self.pick(('Via', 'Viale', 'Piazza', 'Corso'))} {stem}{self.pick((' ', ', '))}{n}"
        if kind < 0.91:
            ending = self.pick(("straat", "laan", "gatan", "vägen", "gade", "vej", "katu", "tie",
                                "veien", "gata", "kade", "weg", "plein"))
            return f"{stem}{ending} {n}"
        if kind < 0.96:
            return f"{self.pick(('ul.', 'ulica', 'al.', 'os.'))} {stem} {n}"
        return f"{self.pick(('H.No. ', 'Plot ', ''))}{n}, {stem} {self.pick(('Nagar', 'Marg', 'Colony', 'Road'))}"

    def digits(self, pattern: str) -> str:
        """"##-###" with digits for the signs."""
        return "".join(str(self.random.randrange(1, 10)) if c == "#" else c for c in pattern)

    def native_address(self, language: str) -> str:
        """As the post of a country writes it, with its code and town."""
        form, code, locales = self.pick(NATIVE_ADDRESSES[language])
        locale = self.pick(locales)
        names = self.lists.family.get(locale) or self.lists.family["en_US"]
        towns = self.lists.towns.get(locale) or [self.town()]
        number = str(self.random.randrange(1, 200)) + (self.pick("abB") if self.chance(0.1) else "")
        out = form.format(s=self.pick(names), n=number, m=self.random.randrange(1, 90),
                          c=self.digits(code), t=self.pick(towns))
        return out if self.chance(0.8) else out.replace(", ", "\n", 1)

    def address(self, language: str = "en") -> tuple[str, str]:
        """The address, and what stands behind it without being part of it."""
        if language in NATIVE_ADDRESSES and self.chance(0.7):
            return self.native_address(language), ""
        if self.chance(0.25):
            return self.native_address(self.pick(sorted(NATIVE_ADDRESSES))), ""
        street = self.street()
        unit = self.random.random()
        number = self.random.randrange(1, 999)
        if unit < 0.1:
            street = f"Flat {number % 60}, {street}"
        elif unit < 0.3:
            unit_word = self.pick(("Apt", "Apt.", "Suite", "Unit", "Floor", "Apartment"))
            unit = self.pick("ABCDEFGHK") if self.chance(0.3) else str(number)
            street += f"{self.pick((', ', ' ', chr(10), chr(10) + ' '))}{unit_word} {unit}"
        kind = self.random.random()
        code = self.random.randrange(10000, 99999)
        joint = self.pick((", ", ", ", "\n", "\n ", " "))
        if self.chance(0.04):
            box = self.pick(("P.O. Box {0}", "PO Box {0}", "PSC {0}, Box {0}", "Unit {0} Box {0}"))
            return box.format(number) + f"{joint}{self.pick(('APO AA', 'FPO AP', self.town()))} {code}", ""
        if kind < 0.25:
            return street, ""
        if kind < 0.5:
            return street + f"{joint}{self.town()} {code}", ""
        if kind < 0.6:
            return street + f"{joint}{self.town()}, {self.pick(('CA', 'TX', 'NY', 'WA', 'FL', 'OH'))} {code}", ""
        if kind < 0.72:
            return street + f"{joint}{code} {self.town()}", ""
        if kind < 0.76:
            return street + f"{joint}{self.town()}, {self.country()} {code}", ""
        return street, f", {self.town()}"
