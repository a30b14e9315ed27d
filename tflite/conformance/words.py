"""Words of twenty scripts, written for this corpus, of which its texts and the texts of its vocabularies are made."""

WORDS = {
    "Latin": "the river garden letter house doctor window paper street mother winter evening table picture brother "
             "school friend warm film story reading unhappily walked lights better quickly reader readers",
    "accents": "café naïve façade über Straße élève garçon señora mañana año pingüino cœur œuvre ålder smörgås þing "
               "čeština žluťoučký kůň łódź święto źródło ağaç İstanbul ışık şeker győr tűz phở tiếng Việt nước đường",
    "Greek": "ποτάμι κήπος γράμμα ΟΔΟΣ ΣΠΙΤΙ δρόμος χειμώνας ΆΝΕΜΟΣ φίλος ΚΌΣΜΟΣ σχολείο ἀρχή ᾠδή Ὀδυσσεύς",
    "Cyrillic": "река сад письмо дом врач окно улица мать зима вечер друг школа ёлка Йод съезд їжак київ љубав џеп",
    "Hebrew": "נהר גן מכתב בית רופא חלון רחוב אם חורף ערב שָׁלוֹם סֵפֶר יַיִן",
    "Arabic": "نهر حديقة رسالة بيت طبيب نافذة شارع أم شتاء مساء مَدْرَسَة كِتَاب إِنَّ لا ﷺ پنجره گل",
    "Devanagari": "नदी बगीचा पत्र घर डॉक्टर खिड़की सड़क माँ सर्दी शाम मित्र विद्यालय क्षत्रिय ज़मीन",
    "Bengali": "নদী বাগান চিঠি বাড়ি ডাক্তার জানালা রাস্তা মা শীত সন্ধ্যা বন্ধু",
    "Tamil": "ஆறு தோட்டம் கடிதம் வீடு மருத்துவர் சாளரம் தெரு அம்மா குளிர்",
    "Thai": "แม่น้ำ สวน จดหมาย บ้าน หมอ หน้าต่าง ถนน แม่ ฤดูหนาว กรุงเทพมหานคร",
    "Khmer": "ទន្លេ សួន សំបុត្រ ផ្ទះ វេជ្ជបណ្ឌិត បង្អួច",
    "Myanmar": "မြစ် ဥယျာဉ် စာ အိမ် ဆရာဝန် ပြတင်းပေါက်",
    "Georgian": "მდინარე ბაღი წერილი სახლი ექიმი ფანჯარა ᲥᲣᲩᲐ",
    "Armenian": "գետ այգի նամակ տուն բժիշկ պատուհան ՓՈՂՈՑ և",
    "Ethiopic": "ወንዝ አትክልት ደብዳቤ ቤት ሐኪም መስኮት",
    "Cherokee": "ᎡᏉᏂ ᏗᎦᎶᎩ ᎪᏪᎵ ᎦᎵᏦᏕ Ꭰꭰ",
    "Hangul": "강 정원 편지 집 의사 창문 거리 어머니 겨울 저녁 친구 학교 값없이 닭고기",
    "Han": "河 花园 信 房子 醫生 窗户 街道 母亲 冬天 晚上 朋友 學校 東京都 北京大学",
    "Hiragana": "かわ にわ てがみ いえ まど みち ともだち がっこう ありがとう",
    "Katakana": "テレビ コーヒー パン ドア バス ガラス ﾃﾞﾊﾟｰﾄ ﾊﾝｶｸ",
}
MARKS = ("' \" - . , ; : ! ? ( ) [ ] { } < > # @ / \\ | _ * ` ~ ^ $ + = % & ... `` '' ’ ‘ “ ” « » — – … · ¿ ¡ "
         "، ؟ ۔ । ॥ 。 、 「 」 ・ "
         "！ ？ € £ ¥ ₹ № § © ® ™ ° ± × ÷ ≠ ∞ → ⇒").split()
NUMBERS = "0 7 42 1,000 3.14 1.000,50 10:30 2024-02-29 50% 1st x2 ½ ² ③ Ⅷ ٣٤ ४२ ๗ 一二三 １２３".split()
SHORTENED = ("don't I'm we've they'll he'd she's DON'T d'accord l'été dell'Italia rock'n'roll U.S.A. e.g. Ph.D. "
             "a.m.").split()
# What other tokenizers recognise, or write, and what here is text like any other.
TOKENS = ("[CLS] [SEP] [MASK] [UNK] [PAD] <s> </s> <pad> <unk> <mask> [cls] [Mask] ##ing ##s ▁a ▁ Ġa ĊĠ <0x41> "
          "<|endoftext|> @@ </w>").split()
EMOJI = ["😀", "👍", "👍🏽", "👨‍👩‍👧", "🏳️‍🌈", "🇩🇪", "🇯🇵🇫🇷", "❤️", "☕", "1️⃣", "🧑🏿‍🚀", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "⌚︎", "🤷🏻‍♀️", "🫠"]
