"""Texts in many languages as people write reviews and notes, and the encodings such files are in.

Two texts a language, of 200 characters and more; `ENCODINGS` are those that hold the language.
"""

__all__ = ["ENCODINGS", "TEXTS", "as_table"]

TEXTS = {
    "russian": (
        "Заказывал телефон две недели назад, доставили быстро, но коробка была помята. Экран "
        "хороший, батарея держит почти два дня. Продавец ответил на все вопросы и даже вернул "
        "часть денег. В общем доволен покупкой, советую всем, кто ищет недорогую модель для "
        "работы и учёбы.",
        "Очень плохое обслуживание: ждали официанта сорок минут, суп принесли холодным, а счёт "
        "оказался больше, чем в меню. Музыка слишком громкая, разговаривать невозможно. Больше "
        "мы сюда не придём и друзьям не посоветуем. Жаль потраченного вечера и испорченного "
        "настроения.",
    ),
    "ukrainian": (
        "Замовляла куртку для дитини, розмір підійшов ідеально. Тканина м'яка, шви рівні, їй "
        "дуже подобається колір. Єдиний недолік: довго чекали на доставку, майже три тижні. "
        "Але якість варта цього очікування, тому обов'язково купуватиму в цьому магазині ще й "
        "інші речі.",
        "Готель розташований поруч із морем, але номери старі й брудні. Кондиціонер не "
        "працював, гарячої води не було цілий день. Персонал ввічливий, однак нічого не може "
        "змінити. Їжа смачна, вибір великий. Загалом відпочинок вийшов посереднім, більше туди "
        "не поїдемо.",
    ),
    "bulgarian": (
        "Поръчах книгата миналата седмица и пристигна за два дни. Опаковката беше здрава, "
        "хартията е хубава, а преводът се чете леко. Единствено шрифтът е малко дребен за "
        "моите очи. Препоръчвам на всички, които обичат истории за пътешествия и стари градове.",
        "Телефонът се нагрява силно и батерията пада за няколко часа. Обадих се в сервиза, но "
        "там никой не знаеше какво да направи. След месец чакане ми върнаха същия апарат без "
        "поправка. Много съм разочарован и няма да купувам повече от тази фирма.",
    ),
    "chinese": (
        "这家餐厅的菜味道很不错，特别是红烧肉，肥而不腻。服务员态度热情，上菜的速度也很快。就是"
        "周末人太多了，我们等了差不多四十分钟才有位子。价格比附近的其他店稍微贵一点，但是环境干"
        "净，适合带孩子和老人一起来。下次朋友聚会还会选择这里，希望老板能够多开几家分店，也希望"
        "停车场可以再大一些，不然每次都要绕好几圈才能找到车位。总的来说值得推荐，五颗星，味道和"
        "服务都让人满意，以后一定还会常来的，谢谢老板送的水果。",
        "手机收到以后用了一个星期，发现电池很不耐用，早上充满电，到中午就只剩下一半了。打电话给"
        "客服，对方说是正常现象，让我关掉几个程序再试试。屏幕倒是很清楚，拍照的效果也还可以，但"
        "是声音太小，在外面根本听不见。如果你经常出差，我不建议买这一款，还是多花点钱买别的牌子"
        "比较好。包装盒子也有些破损，物流公司的态度也很差，前后送了三次才送到。失望，给两分，希"
        "望厂家能够改进产品的质量，认真对待每一个顾客的意见。",
    ),
    "traditional": (
        "這間旅館的位置非常方便，走路五分鐘就到車站，附近也有很多好吃的小店。房間雖然不大，但是"
        "打掃得很乾淨，床也很舒服。早餐的種類不多，不過味道還可以。櫃檯的小姐很親切，幫我們訂了"
        "隔天的車票，還送了一張地圖。唯一的缺點是隔音不太好，晚上聽得到隔壁的說話聲。整體來說我"
        "很滿意，下次來這個城市還會住這裡，也會推薦給我的家人和朋友們，希望價錢不要再漲了。電梯"
        "有點慢，等的時間比較久，帶大行李的人要多留一點時間。",
        "這本書我看了三個晚上才看完，故事的開頭很吸引人，可是到了後面就越來越無聊，結局也讓人覺"
        "得莫名其妙。作者的文字很漂亮，對人物的描寫也很深刻，可惜情節太慢，有幾個地方還前後矛盾"
        "。如果你喜歡輕鬆的小說，這本可能不適合你。紙張和印刷的品質都不錯，封面的設計也很特別。"
        "我給三顆星，期待作者下一本作品能夠更好，也希望出版社可以把價格降低一些，讓更多學生買得"
        "起。總之不算後悔，但是也不會再看第二次了。",
    ),
    "japanese": (
        "先週の土曜日に家族でこのレストランに行きました。料理はとても美味しくて、特に魚の焼き物"
        "が最高でした。店員さんも親切で、子どもにも優しく話しかけてくれました。ただ、駐車場が狭"
        "くて止めるのに少し時間がかかりました。値段は少し高いですが、また行きたいと思います。デ"
        "ザートのケーキも甘すぎず、コーヒーとよく合いました。次は友達を連れて行くつもりです。予"
        "約をしてから行くことをおすすめします。週末はかなり混んでいました。",
        "この掃除機を買って一ヶ月になりますが、音がうるさくて夜は使えません。吸い込む力は強いの"
        "ですが、重いので階段の掃除が大変です。説明書も分かりにくく、何度もサポートに電話しまし"
        "た。対応してくれた人は丁寧でしたが、結局問題は解決しませんでした。もう少し軽いモデルを"
        "選べばよかったと後悔しています。バッテリーも二十分しかもたないので、広い家には向いてい"
        "ないと思います。返品したいのですが、箱を捨ててしまったのでできませんでした。",
    ),
    "korean": (
        "지난주에 주문한 신발이 오늘 도착했습니다. 생각보다 가볍고 발이 편해서 아주 마음에 "
        "듭니다. 색깔도 사진과 똑같고 사이즈도 잘 맞아요. 배송이 조금 늦은 것만 빼면 완벽한 "
        "쇼핑이었습니다. 다음에는 동생에게도 하나 선물하려고 합니다. 가격도 다른 가게보다 "
        "저렴해서 친구들에게 추천했습니다. 오래 신어 봐야 알겠지만 지금까지는 정말 만족합니다. "
        "포장도 깔끔하고 사은품으로 양말까지 받아서 기분이 좋았어요.",
        "음식이 너무 짜고 양도 적어서 실망했습니다. 직원들은 바쁘다는 이유로 물도 가져다주지 "
        "않았고, 주문한 메뉴가 나오는 데 한 시간이나 걸렸습니다. 화장실도 깨끗하지 않았고 "
        "주차할 곳도 없었습니다. 예전에는 맛집으로 유명했는데 주인이 바뀐 뒤로 많이 변한 것 "
        "같습니다. 다시는 가지 않을 생각이고 주변 사람들에게도 가지 말라고 이야기했습니다. "
        "돈이 아깝다는 생각이 들 정도였습니다.",
    ),
    "arabic": (
        "اشتريت هذا الهاتف قبل شهر وأنا سعيد جدا بالشراء. البطارية تدوم يومين كاملين والكاميرا "
        "تلتقط صورا واضحة حتى في الليل. وصل الطلب في الموعد المحدد وكان مغلفا بشكل جيد. أنصح "
        "كل من يبحث عن جهاز رخيص وقوي بأن يجربه، فالسعر مناسب والخدمة بعد البيع ممتازة أيضا.",
        "لم تعجبني الغرفة في هذا الفندق لأنها صغيرة ورائحتها سيئة. طلبنا تغييرها لكن الموظف "
        "رفض وقال إن كل الغرف محجوزة. الفطور كان باردا والقهوة بلا طعم. الموقع قريب من البحر "
        "وهذا هو الشيء الوحيد الجميل. لن أعود إلى هنا مرة أخرى ولا أنصح به أحدا من الأصدقاء.",
    ),
    "hebrew": (
        "הזמנתי את הספר לפני שבועיים והוא הגיע מהר מאוד ובמצב מצוין. הסיפור מרתק מההתחלה ועד "
        "הסוף, הדמויות אמינות והשפה יפה. קראתי אותו בשני ערבים ולא יכולתי להפסיק. אני ממליצה "
        "עליו לכל מי שאוהב ספרים על משפחה וזיכרונות. אחרי שסיימתי נתתי אותו במתנה לאחותי הקטנה.",
        "המסעדה הייתה מלאה ורועשת, חיכינו יותר משעה לאוכל וכשהוא הגיע הוא היה קר. המלצר לא "
        "התנצל ואפילו הביא לנו חשבון לא נכון. המחירים גבוהים מדי ביחס לאיכות. חבל, כי פעם זה "
        "היה המקום האהוב עלינו בעיר. לא נחזור לשם בקרוב ולא נמליץ עליו לחברים שלנו.",
    ),
    "greek": (
        "Παρήγγειλα τα παπούτσια την προηγούμενη εβδομάδα και ήρθαν πολύ γρήγορα. Είναι άνετα, "
        "ελαφριά και το χρώμα είναι όπως στη φωτογραφία. Η τιμή ήταν καλύτερη από τα άλλα "
        "καταστήματα. Το μόνο αρνητικό είναι ότι το κουτί ήταν λίγο σκισμένο. Θα ξαναγοράσω "
        "σίγουρα από εδώ. Άριστα!",
        "Το ξενοδοχείο βρίσκεται μακριά από την παραλία και ο δρόμος είναι κακός. Το δωμάτιο "
        "δεν ήταν καθαρό και ο κλιματισμός έκανε θόρυβο όλη τη νύχτα. Όταν παραπονεθήκαμε, "
        "κανείς δεν έκανε τίποτα. Το πρωινό ήταν φτωχό και ο καφές απαίσιος. Δεν θα το "
        "πρότεινα σε κανέναν.",
    ),
    "english": (
        "It’s the best headset I’ve owned – light, sturdy and easy on the ears. The seller "
        "wrote, “We ship within a day,” and they did. My only complaint… the cable’s a bit "
        "short. Don’t let that stop you, though: at £35 you won’t find anything that’s nearly "
        "as good for long flights.",
        "We’d booked a “sea view” and got a car park. The receptionist didn’t even say "
        "sorry—she told us to “look on the bright side.” Breakfast wasn’t included, the pool’s "
        "closed until June, and nobody’d bothered to clean the room. Never again… and I’ve "
        "told all of my friends.",
    ),
    "german": (
        "Die Kopfhörer sind gestern angekommen und gefallen mir sehr. Der Klang ist für den "
        "Preis überraschend gut, nur die Bässe könnten kräftiger sein. Sie drücken auch nach "
        "Stunden nicht. Das Kabel ist leider etwas kurz geraten. Für unterwegs genügt es "
        "völlig, ich würde sie wieder kaufen und habe sie schon meiner Schwester empfohlen. "
        "Größe und Gewicht stimmen.",
        "Leider hat das Gerät schon nach drei Wochen den Geist aufgegeben. Der Händler schob "
        "es auf den Hersteller, der Hersteller auf den Händler. Am Ende mußte ich die "
        "Rücksendung selbst bezahlen. So etwas habe ich noch nie erlebt. Finger weg, es gibt "
        "für weniger Geld bessere Geräte! Schade um die Zeit, ich ärgere mich immer noch "
        "darüber.",
    ),
    "french": (
        "J'ai commandé cette lampe pour mon bureau et je suis très déçue. La lumière est trop "
        "faible, le câble est court et la couleur ne correspond pas à la photo. Le vendeur m'a "
        "répondu après dix jours seulement. Heureusement, j'ai été remboursée sans problème. À "
        "éviter si vous cherchez un éclairage agréable pour lire où travailler le soir.",
        "Quel plaisir de retrouver ce petit restaurant près du marché ! L'accueil est "
        "chaleureux, les assiettes généreuses et le gâteau au chocolat fait maison délicieux. "
        "Nous y étions déjà allés l'été dernier et rien n'a changé, même les prix. Pensez à "
        "réserver, car la salle est vite pleine le samedi. Bravo à toute l'équipe, nous "
        "reviendrons bientôt avec des amis.",
    ),
    "spanish": (
        "Compré esta cámara para las vacaciones y la verdad es que funciona muy bien. Las "
        "fotos salen nítidas, también de noche, y la batería dura todo el día. El manual sólo "
        "está en inglés, pero no es difícil. ¿Lo mejor? El tamaño: cabe en cualquier bolsillo. "
        "La recomiendo a quien quiera algo sencillo y económico. Llegó además un día antes de "
        "lo previsto.",
        "Pésima experiencia. Pedí la talla mediana y me enviaron una pequeña, después tardaron "
        "un mes en contestar. Cuando por fin llegó la correcta, el pantalón tenía una mancha y "
        "le faltaba un botón. ¡Nunca más! Según la página el envío era gratis, pero me "
        "cobraron ocho euros. Ojalá alguien lea esto antes de comprar aquí, porque a mí nadie "
        "me avisó.",
    ),
    "polish": (
        "Zamówiłam tę sukienkę na wesele siostry i jestem zachwycona. Materiał jest miły w "
        "dotyku, kolor dokładnie taki jak na zdjęciu, a długość idealna. Przesyłka przyszła "
        "już następnego dnia. Trochę się bałam, że będzie za ciasna, ale pasuje świetnie. "
        "Wszyscy pytali, gdzie ją kupiłam. Polecam ten sklep każdemu, kto ceni jakość i szybką "
        "obsługę.",
        "Niestety książka mnie rozczarowała. Początek był ciekawy, później jednak akcja się "
        "ciągnie i trudno doczekać końca. Bohaterowie są płascy, a dialogi brzmią sztucznie. "
        "Znalazłem też sporo błędów, których nikt nie poprawił. Szkoda pieniędzy, lepiej "
        "wypożyczyć ją z biblioteki. Żałuję, że uwierzyłem reklamie i opiniom w internecie.",
    ),
    "czech": (
        "Tuhle kávu kupuji už třetí rok a pořád mi chutná nejvíc. Má příjemnou vůni, není "
        "kyselá a ráno mě spolehlivě probudí. Balíček dorazil včera, dříve, než slibovali. "
        "Jediné, co bych zlepšil, je zavírání sáčku, protože se po pár dnech rozbije. Jinak "
        "můžu všem jen doporučit, za tuhle cenu nic lepšího neseženete.",
        "Byli jsme velmi zklamaní. Pokoj byl špinavý, v koupelně tekla studená voda a v noci "
        "rušil hluk z ulice. Když jsme si stěžovali, recepční jen pokrčila rameny. Snídaně se "
        "každý den opakovala a čerstvé ovoce chybělo úplně. Příště si raději připlatíme a "
        "zůstaneme jinde, i kdyby to bylo daleko od centra města.",
    ),
    "hungarian": (
        "Két hete rendeltem ezt a hátizsákot, és eddig nagyon elégedett vagyok vele. Könnyű, "
        "erős, és meglepően sok minden elfér benne. Az esőt is jól bírja, a könyveim szárazak "
        "maradtak. A szíjak lehetnének kicsit hosszabbak, de ez nem nagy gond. Mindenkinek "
        "ajánlom, aki sokat utazik gyalog vagy kerékpárral. A színe is gyönyörű, a kisfiam is "
        "ilyet szeretne.",
        "Sajnos a mosógép egy hónap után elromlott. A szerelő csak három hét múlva jött, és "
        "azt mondta, hogy nincs hozzá alkatrész. Azóta kézzel mosok, és senki nem veszi fel a "
        "telefont. Ilyen rossz ügyfélszolgálattal még sosem találkoztam. Inkább vegyenek "
        "drágábbat, de megbízhatót, különben őrült sok idő és pénz megy kárba. Többet nem "
        "vásárolok ettől a cégtől.",
    ),
    "turkish": (
        "Bu ayakkabıyı geçen hafta sipariş ettim, iki günde geldi. Çok rahat ve hafif, bütün "
        "gün yürüdüm, ayağım hiç ağrımadı. Rengi fotoğraftaki gibi, kalıbı da tam. Fiyatına "
        "göre gerçekten iyi bir ürün. Satıcıya da hızlı gönderim için teşekkür ederim. "
        "Arkadaşlarıma gösterdim, onlar da beğendi ve şimdi kendilerine almak istiyorlar.",
        "Otelden hiç memnun kalmadık. Oda küçüktü, çarşaflar kirliydi ve klima çalışmıyordu. "
        "Şikâyet ettik ama kimse ilgilenmedi. Yemekler soğuk geldi, çeşit de azdı. Denize "
        "yakın olması dışında iyi bir tarafı yoktu. Bu paraya çok daha güzel yerler bulunur, "
        "bir daha asla gitmeyiz. Çocuklarımız için de uygun değildi, gürültüden uyuyamadılar.",
    ),
    "lithuanian": (
        "Užsisakiau šį telefoną prieš mėnesį ir esu labai patenkintas. Baterija laiko dvi "
        "dienas, nuotraukos ryškios, o ekranas didelis. Siuntinys atėjo greitai, pakuotė buvo "
        "tvarkinga. Vienintelis trūkumas – trumpas laidas. Rekomenduoju visiems, kas ieško "
        "gero ir nebrangaus įrenginio kasdieniam naudojimui. Žmona taip pat norėtų tokio.",
        "Viešbutis visiškai nuvylė. Kambarys buvo mažas ir šaltas, vonioje trūko rankšluosčių, "
        "o naktį girdėjosi kiekvienas žingsnis koridoriuje. Pusryčiai prasti, kava vandeninga. "
        "Darbuotojai mandagūs, bet nieko negalėjo pakeisti. Už tokią kainą galima rasti daug "
        "geresnių vietų mieste, todėl čia tikrai negrįšime.",
    ),
    "thai": (
        "ร้านนี้อาหารอร่อยมาก โดยเฉพาะต้มยำกุ้งกับข้าวผัดปู พนักงานบริการดีและยิ้มแย้มแจ่มใส ราคาไม่แพงเมื่อเทียบกับปริ"
        "มาณที่ได้ ที่จอดรถน้อยไปหน่อย แต่เดินจากสถานีรถไฟฟ้าได้ไม่ไกล วันหยุดคนเยอะมาก ควรโทรไปจองก่อน ครั้งหน้าจ"
        "ะพาครอบครัวมากินอีกแน่นอน",
        "สั่งเสื้อไปสองตัว ได้ของช้ามากและสีไม่ตรงกับรูป เนื้อผ้าบางและซักครั้งเดียวก็ยืดแล้ว ติดต่อร้านไปหลายครั้งก็ไม่มีใค"
        "รตอบ เสียดายเงินจริง ๆ ไม่แนะนำให้ใครซื้อร้านนี้เลย ขอคืนเงินก็บอกว่าต้องรออีกสามสิบวันทำการซื้อขายแบบนี้ลูกค้"
        "าคงหายหมด",
    ),
}
"""Language -> texts."""

ENCODINGS = {
    "russian": ("cp1251", "koi8_r", "cp866", "iso8859_5", "mac_cyrillic", "utf-16-le"),
    "ukrainian": ("cp1251", "koi8_u", "utf-16-be"),
    "bulgarian": ("cp1251", "iso8859_5"),
    "chinese": ("gb18030", "gbk", "gb2312", "utf-16-le", "utf-16-be"),
    "traditional": ("big5", "cp950", "gb18030", "utf-16-le"),
    "japanese": ("shift_jis", "euc_jp", "cp932", "utf-16-le"),
    "korean": ("euc_kr", "cp949", "utf-16-be"),
    "arabic": ("cp1256", "iso8859_6", "utf-16-le"),
    "hebrew": ("cp1255", "iso8859_8", "utf-16-le"),
    "greek": ("cp1253", "iso8859_7", "utf-16-le"),
    "english": ("cp1252", "mac_roman", "utf-16-le"),
    "german": ("cp1252", "latin-1", "cp850", "mac_roman", "utf-16-le", "utf-32-le"),
    "french": ("cp1252", "latin-1", "cp850", "mac_roman"),
    "spanish": ("cp1252", "latin-1", "cp850", "mac_roman"),
    "polish": ("cp1250", "iso8859_2", "utf-16-be"),
    "czech": ("cp1250", "iso8859_2", "cp852"),
    "hungarian": ("cp1250", "iso8859_2"),
    "turkish": ("cp1254", "iso8859_9"),
    "lithuanian": ("cp1257", "iso8859_13"),
    "thai": ("cp874", "tis_620"),
}
"""Language -> encodings that such files are in."""


def as_table(text: str, encoding: str, n_rows: int = 4) -> bytes:
    """A CSV of the text, cut into rows, in an encoding; what that lacks is a question mark."""
    step = len(text) // n_rows + 1
    rows = [text[i : i + step].replace('"', "") for i in range(0, len(text), step)]
    lines = [f'"{row}",{i % 2}\n' for i, row in enumerate(rows)]
    return ("text,label\n" + "".join(lines)).encode(encoding, "replace")
