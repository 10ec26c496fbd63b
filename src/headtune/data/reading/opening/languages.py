"""What the letters of a language are, most frequent first, and which encodings its files are in.

It serves one purpose: telling a right decoding from a wrong one (``plausible.py``). So a language
of Latin letters lists those beyond ASCII only, and one of thousands of characters those that are in
nearly every text; which of the others are common its own standard says, by its first level.
"""

from dataclasses import dataclass

__all__ = ["LANGUAGES", "Language"]


@dataclass(frozen=True, slots=True)
class Language:
    """A language as files in old encodings hold it.

    ``letters`` are its small letters, the most frequent first; ``encodings`` the usual ones first;
    ``level`` the encoding and the first bytes of its common characters, where there are thousands.
    """

    name: str
    script: str
    letters: str
    encodings: tuple[str, ...]
    level: tuple[str, int, int] | None = None


CYRILLIC = ("cp1251", "koi8_r", "cp866", "iso8859_5", "mac_cyrillic")
WESTERN = ("cp1252", "iso8859_1", "iso8859_15", "cp850", "mac_roman", "cp437")
CENTRAL = ("cp1250", "iso8859_2", "cp852", "mac_latin2")
BALTIC = ("cp1257", "iso8859_13", "cp775")

LANGUAGES = (
    Language(
        "Chinese",
        "CJK",
        "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行"
        "所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实很两给店买价"
        "质量差吃快服务评话电手机房间错货度太等次再见高新点头水长物日打话最第问使常喜欢感觉东西便宜贵",
        ("gb18030", "gbk", "gb2312"),
        ("gb2312", 0xB0, 0xD7),
    ),
    Language(
        "Chinese (traditional)",
        "CJK",
        "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行"
        "所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實很兩給店買價"
        "質量差吃快服務評話電手機房間錯貨度太等次再見高新點頭水長物日打最第問使常喜歡感覺東西便宜貴",
        ("big5", "cp950", "big5hkscs", "gb18030"),
        ("big5", 0xA4, 0xC6),
    ),
    Language(
        "Japanese",
        "Kana",
        "のいにたてしはとでるながをれすかっまりこもらさきうくよけどんだつせそあみめやえおちわじばーンスルトリイアラックド"
        "レジタフロカテマィグバムプコデニウメサシビナャキュエチダパミョハセモツオネ日人一大時本年行中見前気分話車店思",
        ("shift_jis", "cp932", "euc_jp", "euc_jis_2004", "shift_jis_2004"),
        ("euc_jp", 0xB0, 0xCF),
    ),
    Language(
        "Korean",
        "Hangul",
        "이다에의는로하을가고지서한은기으년대사시를리도인스일나자어아라그보정수전해주세것들면여부제장만우동상성공원과있습"
        "니까요게안무비조연구신오소국미치없음았었했데네거너더마내중물말생용등모경간못좋점분",
        ("euc_kr", "cp949", "johab"),
    ),
    Language("Russian", "CYRILLIC", "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё", CYRILLIC),
    Language(
        "Ukrainian",
        "CYRILLIC",
        "оанівирелтксдумязпьгбчйхїцжєющшфґ",
        ("cp1251", "koi8_u", "iso8859_5", "mac_cyrillic", "cp1125"),
    ),
    Language("Bulgarian", "CYRILLIC", "аеиотнрсвлкдпмзъугбячцйжхщюшфь", CYRILLIC),
    Language("Belarusian", "CYRILLIC", "анікраетлсоыувдмяпйзьбгцўчшхжэюёф", CYRILLIC),
    Language("Serbian", "CYRILLIC", "аиоенрсутјвкдмплгзбцшчжћхљњђфџ", CYRILLIC),
    Language("Macedonian", "CYRILLIC", "аоеитнрсвдкјлмпузгбчцжшќхѓџљњѕф", CYRILLIC),
    Language(
        "Greek",
        "GREEK",
        "αοιετσνρπκμλυηςίόέάδθγήωύχώφβξζψϊϋΐΰ",
        ("cp1253", "iso8859_7", "cp737", "cp869"),
    ),
    Language("Hebrew", "HEBREW", "יוהלאמרבתשנעדקחפכםסטגצזןךףץ", ("cp1255", "iso8859_8", "cp862")),
    Language(
        "Arabic",
        "ARABIC",
        "اليمونرتبةعدسفهكقأحجشطصىخإذضزءئثغظؤآ",
        ("cp1256", "iso8859_6", "cp864", "cp720"),
    ),
    Language("Persian", "ARABIC", "ایردنهموتبسلکشزفگعخقجآپحطصيكچغضظثذئژءأ", ("cp1256",)),
    Language("Thai", "THAI", "านรอกเงมยลวดทสตะปบคหแจพชขใไโผธณฉถศซภษญฟฎฐฤึีิืุูั็่้๊๋์ำๆฯ", ("cp874", "tis_620")),
    Language("German", "LATIN", "äüöß", WESTERN),
    Language("French", "LATIN", "éèàêçôùîâûëïœ", WESTERN),
    Language("Spanish", "LATIN", "óíáéñúüªº", WESTERN),
    Language("Portuguese", "LATIN", "ãçéáóíõêúâàôªº", WESTERN),
    Language("Catalan", "LATIN", "àéèóíòúçïü·", WESTERN),
    Language("Italian", "LATIN", "èàùòìé", WESTERN),
    Language("Dutch", "LATIN", "ëéïèöüê", WESTERN),
    Language("Swedish", "LATIN", "äåöé", WESTERN),
    Language("Danish", "LATIN", "åøæé", WESTERN),
    Language("Icelandic", "LATIN", "íðáöúþóéæý", WESTERN),
    Language("Polish", "LATIN", "łęążśćóńź", CENTRAL),
    Language("Czech", "LATIN", "íáéěřýčžšůúóďňť", CENTRAL),
    Language("Slovak", "LATIN", "áíéčýžšľúťôňóďäŕĺ", CENTRAL),
    Language("Hungarian", "LATIN", "éáőöíóüúű", CENTRAL),
    Language("Romanian", "LATIN", "ăîâşţșț", ("cp1250", "iso8859_2", "iso8859_16", "cp852")),
    Language("Croatian", "LATIN", "čšžćđ", CENTRAL),
    Language("Turkish", "LATIN", "ışğüçöâîû", ("cp1254", "iso8859_9", "cp857", "mac_turkish")),
    Language("Lithuanian", "LATIN", "ėųžšįčąūę", BALTIC),
    Language("Latvian", "LATIN", "āīēšņžļūčķģ", BALTIC),
    Language("Estonian", "LATIN", "äõüöšž", BALTIC),
    Language(
        "Vietnamese",
        "LATIN",
        "àáđươôảạâăêếộóấệìíịớãòờéèùúợựểứủốồầậẻẽữừỏõọụỹýỳ\u0300\u0301\u0303\u0309\u0323",
        ("cp1258",),
    ),
)
