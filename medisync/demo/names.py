"""Words for a believable demonstration clinic: people, places, conditions and their treatment.

Every name is a common one and belongs to nobody in particular. Conditions are keyed by the codes
of `specializations.catalogue`; each carries the medicines ordinarily given for it, under their
international non-proprietary names, so that a demonstration prescription reads like a real one.
It is sample data, never advice: nothing that treats a patient may read it.
"""

from typing import Literal, NamedTuple, TypeAlias

Route: TypeAlias = Literal["ORAL", "INHALATION", "TOPICAL", "OPHTHALMIC", "NASAL", "SUBCUTANEOUS"]
FrequencyUnit: TypeAlias = Literal["DAY", "WEEK"]
Sex: TypeAlias = Literal["MALE", "FEMALE"]


class Text(NamedTuple):
    """The same words in English and in Arabic; for a name, its two spellings."""

    en: str
    ar: str


class Governorate(NamedTuple):
    """An Egyptian governorate: the two digits a national ID of someone born there carries, and
    its code of ISO 3166-2."""

    national_id_code: str
    iso_code: str
    name: Text
    cities: tuple[Text, ...]


class Medicine(NamedTuple):
    """One line of a prescription.

    `frequency` counts doses in each `frequency_unit`; for a medicine taken as needed it is the
    most doses allowed. `quantity` counts tablets, capsules, sachets, pens and syringes; of
    bottles, tubes and inhalers it counts packs.
    """

    name: str
    strength: str
    route: Route
    frequency: int
    duration_days: int
    quantity: int
    instructions: Text
    refills: int = 0
    frequency_unit: FrequencyUnit = "DAY"
    as_needed: bool = False


class Condition(NamedTuple):
    """A diagnosis, its treatment, and the patients in whom it is plausible.

    `sex` is None when the condition and its treatment suit either.
    """

    diagnosis: Text
    medicines: tuple[Medicine, ...]
    sex: Sex | None = None
    min_age: int = 18
    max_age: int = 90


MALE_NAMES: tuple[Text, ...] = (
    Text("Ahmed", "أحمد"),
    Text("Mohamed", "محمد"),
    Text("Mahmoud", "محمود"),
    Text("Mostafa", "مصطفى"),
    Text("Ali", "علي"),
    Text("Omar", "عمر"),
    Text("Youssef", "يوسف"),
    Text("Khaled", "خالد"),
    Text("Hassan", "حسن"),
    Text("Hussein", "حسين"),
    Text("Ibrahim", "إبراهيم"),
    Text("Karim", "كريم"),
    Text("Tarek", "طارق"),
    Text("Amr", "عمرو"),
    Text("Hossam", "حسام"),
    Text("Sherif", "شريف"),
    Text("Walid", "وليد"),
    Text("Hany", "هاني"),
    Text("Ayman", "أيمن"),
    Text("Ashraf", "أشرف"),
    Text("Essam", "عصام"),
    Text("Wael", "وائل"),
    Text("Ramy", "رامي"),
    Text("Tamer", "تامر"),
    Text("Islam", "إسلام"),
    Text("Ziad", "زياد"),
    Text("Adham", "أدهم"),
    Text("Bassem", "باسم"),
    Text("Emad", "عماد"),
    Text("Hazem", "حازم"),
    Text("Samir", "سمير"),
    Text("Nabil", "نبيل"),
    Text("Magdy", "مجدي"),
    Text("Mina", "مينا"),
    Text("George", "جورج"),
    Text("Marwan", "مروان"),
    Text("Yassin", "ياسين"),
    Text("Anas", "أنس"),
    Text("Fady", "فادي"),
    Text("Osama", "أسامة"),
)

FEMALE_NAMES: tuple[Text, ...] = (
    Text("Fatma", "فاطمة"),
    Text("Aya", "آية"),
    Text("Mariam", "مريم"),
    Text("Nour", "نور"),
    Text("Salma", "سلمى"),
    Text("Sara", "سارة"),
    Text("Yasmin", "ياسمين"),
    Text("Heba", "هبة"),
    Text("Mona", "منى"),
    Text("Dina", "دينا"),
    Text("Rania", "رانيا"),
    Text("Nada", "ندى"),
    Text("Menna", "منة"),
    Text("Habiba", "حبيبة"),
    Text("Farida", "فريدة"),
    Text("Laila", "ليلى"),
    Text("Amira", "أميرة"),
    Text("Eman", "إيمان"),
    Text("Asmaa", "أسماء"),
    Text("Shaimaa", "شيماء"),
    Text("Doaa", "دعاء"),
    Text("Rehab", "رحاب"),
    Text("Hala", "هالة"),
    Text("Noha", "نهى"),
    Text("Ghada", "غادة"),
    Text("Abeer", "عبير"),
    Text("Samar", "سمر"),
    Text("Reem", "ريم"),
    Text("Malak", "ملك"),
    Text("Jana", "جنى"),
    Text("Hana", "هنا"),
    Text("Rana", "رنا"),
    Text("Engy", "إنجي"),
    Text("Sherine", "شيرين"),
    Text("Marina", "مارينا"),
    Text("Nadia", "نادية"),
    Text("Soha", "سها"),
    Text("Zeinab", "زينب"),
    Text("Mai", "مي"),
    Text("Lobna", "لبنى"),
)

FAMILY_NAMES: tuple[Text, ...] = (
    Text("El-Sayed", "السيد"),
    Text("Abdelrahman", "عبد الرحمن"),
    Text("Abdelaziz", "عبد العزيز"),
    Text("Mansour", "منصور"),
    Text("El-Shazly", "الشاذلي"),
    Text("El-Masry", "المصري"),
    Text("Shaheen", "شاهين"),
    Text("El-Naggar", "النجار"),
    Text("El-Haddad", "الحداد"),
    Text("Khalil", "خليل"),
    Text("Fahmy", "فهمي"),
    Text("Zaki", "زكي"),
    Text("Ghoneim", "غنيم"),
    Text("Badawy", "بدوي"),
    Text("El-Sherbiny", "الشربيني"),
    Text("Salama", "سلامة"),
    Text("Gaber", "جابر"),
    Text("Ramadan", "رمضان"),
    Text("Shawky", "شوقي"),
    Text("Helmy", "حلمي"),
    Text("Lotfy", "لطفي"),
    Text("Rizk", "رزق"),
    Text("Boutros", "بطرس"),
    Text("Girgis", "جرجس"),
    Text("Tadros", "تادرس"),
    Text("El-Ashry", "العشري"),
    Text("El-Gohary", "الجوهري"),
    Text("El-Tayeb", "الطيب"),
    Text("Abu Zeid", "أبو زيد"),
    Text("Darwish", "درويش"),
    Text("Kandil", "قنديل"),
    Text("Saleh", "صالح"),
    Text("Khoury", "خوري"),
    Text("Al-Qahtani", "القحطاني"),
    Text("Al-Harbi", "الحربي"),
    Text("Nasser", "ناصر"),
    Text("Hegazy", "حجازي"),
    Text("Barakat", "بركات"),
    Text("Soliman", "سليمان"),
    Text("Awad", "عوض"),
    Text("El-Desouky", "الدسوقي"),
)

GOVERNORATES: tuple[Governorate, ...] = (
    Governorate(
        "01",
        "EG-C",
        Text("Cairo", "القاهرة"),
        (
            Text("Nasr City", "مدينة نصر"),
            Text("Heliopolis", "مصر الجديدة"),
            Text("Maadi", "المعادي"),
            Text("New Cairo", "القاهرة الجديدة"),
            Text("Shubra", "شبرا"),
            Text("Helwan", "حلوان"),
        ),
    ),
    Governorate(
        "02",
        "EG-ALX",
        Text("Alexandria", "الإسكندرية"),
        (
            Text("Smouha", "سموحة"),
            Text("Sidi Gaber", "سيدي جابر"),
            Text("Montaza", "المنتزه"),
            Text("Borg El Arab", "برج العرب"),
        ),
    ),
    Governorate(
        "03",
        "EG-PTS",
        Text("Port Said", "بورسعيد"),
        (Text("Port Said", "بورسعيد"), Text("Port Fouad", "بورفؤاد")),
    ),
    Governorate(
        "04",
        "EG-SUZ",
        Text("Suez", "السويس"),
        (Text("Suez", "السويس"), Text("Ain Sokhna", "العين السخنة")),
    ),
    Governorate(
        "11",
        "EG-DT",
        Text("Damietta", "دمياط"),
        (
            Text("Damietta", "دمياط"),
            Text("New Damietta", "دمياط الجديدة"),
            Text("Ras El Bar", "رأس البر"),
        ),
    ),
    Governorate(
        "12",
        "EG-DK",
        Text("Dakahlia", "الدقهلية"),
        (
            Text("Mansoura", "المنصورة"),
            Text("Talkha", "طلخا"),
            Text("Mit Ghamr", "ميت غمر"),
        ),
    ),
    Governorate(
        "13",
        "EG-SHR",
        Text("Sharqia", "الشرقية"),
        (
            Text("Zagazig", "الزقازيق"),
            Text("10th of Ramadan", "العاشر من رمضان"),
            Text("Belbeis", "بلبيس"),
        ),
    ),
    Governorate(
        "14",
        "EG-KB",
        Text("Qalyubia", "القليوبية"),
        (
            Text("Banha", "بنها"),
            Text("Shubra El Kheima", "شبرا الخيمة"),
            Text("Qalyub", "قليوب"),
        ),
    ),
    Governorate(
        "15",
        "EG-KFS",
        Text("Kafr El Sheikh", "كفر الشيخ"),
        (Text("Kafr El Sheikh", "كفر الشيخ"), Text("Desouk", "دسوق")),
    ),
    Governorate(
        "16",
        "EG-GH",
        Text("Gharbia", "الغربية"),
        (
            Text("Tanta", "طنطا"),
            Text("El Mahalla El Kubra", "المحلة الكبرى"),
            Text("Zefta", "زفتى"),
        ),
    ),
    Governorate(
        "17",
        "EG-MNF",
        Text("Monufia", "المنوفية"),
        (
            Text("Shibin El Kom", "شبين الكوم"),
            Text("Menouf", "منوف"),
            Text("Sadat City", "مدينة السادات"),
        ),
    ),
    Governorate(
        "18",
        "EG-BH",
        Text("Beheira", "البحيرة"),
        (
            Text("Damanhur", "دمنهور"),
            Text("Kafr El Dawwar", "كفر الدوار"),
            Text("Rashid", "رشيد"),
        ),
    ),
    Governorate(
        "19",
        "EG-IS",
        Text("Ismailia", "الإسماعيلية"),
        (Text("Ismailia", "الإسماعيلية"), Text("Fayed", "فايد")),
    ),
    Governorate(
        "21",
        "EG-GZ",
        Text("Giza", "الجيزة"),
        (
            Text("Dokki", "الدقي"),
            Text("Mohandessin", "المهندسين"),
            Text("Haram", "الهرم"),
            Text("6th of October", "السادس من أكتوبر"),
            Text("Sheikh Zayed", "الشيخ زايد"),
        ),
    ),
    Governorate(
        "22",
        "EG-BNS",
        Text("Beni Suef", "بني سويف"),
        (Text("Beni Suef", "بني سويف"), Text("El Wasta", "الواسطى")),
    ),
    Governorate(
        "23",
        "EG-FYM",
        Text("Fayoum", "الفيوم"),
        (Text("Fayoum", "الفيوم"), Text("Ibsheway", "إبشواي")),
    ),
    Governorate(
        "24",
        "EG-MN",
        Text("Minya", "المنيا"),
        (Text("Minya", "المنيا"), Text("Mallawi", "ملوي"), Text("Samalut", "سمالوط")),
    ),
    Governorate(
        "25",
        "EG-AST",
        Text("Asyut", "أسيوط"),
        (Text("Asyut", "أسيوط"), Text("Dairut", "ديروط"), Text("Manfalut", "منفلوط")),
    ),
    Governorate(
        "26",
        "EG-SHG",
        Text("Sohag", "سوهاج"),
        (Text("Sohag", "سوهاج"), Text("Akhmim", "أخميم"), Text("Tahta", "طهطا")),
    ),
    Governorate(
        "27",
        "EG-KN",
        Text("Qena", "قنا"),
        (Text("Qena", "قنا"), Text("Nag Hammadi", "نجع حمادي")),
    ),
    Governorate(
        "28",
        "EG-ASN",
        Text("Aswan", "أسوان"),
        (Text("Aswan", "أسوان"), Text("Kom Ombo", "كوم أمبو"), Text("Edfu", "إدفو")),
    ),
    Governorate(
        "29",
        "EG-LX",
        Text("Luxor", "الأقصر"),
        (Text("Luxor", "الأقصر"), Text("Esna", "إسنا")),
    ),
    Governorate(
        "31",
        "EG-BA",
        Text("Red Sea", "البحر الأحمر"),
        (Text("Hurghada", "الغردقة"), Text("Safaga", "سفاجا"), Text("El Quseir", "القصير")),
    ),
    Governorate(
        "32",
        "EG-WAD",
        Text("New Valley", "الوادي الجديد"),
        (Text("Kharga", "الخارجة"), Text("Dakhla", "الداخلة")),
    ),
    Governorate(
        "33",
        "EG-MT",
        Text("Matrouh", "مطروح"),
        (Text("Marsa Matrouh", "مرسى مطروح"), Text("El Alamein", "العلمين")),
    ),
    Governorate(
        "34",
        "EG-SIN",
        Text("North Sinai", "شمال سيناء"),
        (Text("Arish", "العريش"), Text("Bir El Abd", "بئر العبد")),
    ),
    Governorate(
        "35",
        "EG-JS",
        Text("South Sinai", "جنوب سيناء"),
        (Text("Sharm El Sheikh", "شرم الشيخ"), Text("Dahab", "دهب"), Text("El Tor", "الطور")),
    ),
)

IN_THE_MORNING = Text("Take in the morning.", "يؤخذ صباحًا.")
IN_THE_EVENING = Text("Take in the evening.", "يؤخذ مساءً.")
BEFORE_BREAKFAST = Text(
    "Take half an hour before breakfast, on an empty stomach.",
    "يؤخذ قبل الإفطار بنصف ساعة على معدة فارغة.",
)
BEFORE_MEALS = Text("Take twenty minutes before meals.", "يؤخذ قبل الأكل بثلث ساعة.")
WITH_FOOD = Text("Take with food.", "يؤخذ مع الأكل.")
AFTER_FOOD = Text("Take after food.", "يؤخذ بعد الأكل.")
WITH_WATER = Text("Swallow with a full glass of water.", "يبلع مع كوب كامل من الماء.")
FINISH_THE_COURSE = Text(
    "Finish the course, even when you feel better.",
    "أكمل مدة العلاج حتى لو تحسنت.",
)
SAME_TIME_DAILY = Text("Take at the same time every day.", "يؤخذ في الموعد نفسه كل يوم.")
DO_NOT_STOP_SUDDENLY = Text(
    "Do not stop suddenly; ask your doctor first.",
    "لا توقف الدواء فجأة، واستشر طبيبك أولًا.",
)
FOR_PAIN_OR_FEVER = Text("Take for pain or fever.", "يؤخذ عند الألم أو ارتفاع الحرارة.")
TWO_FOR_PAIN_OR_FEVER = Text(
    "Take two tablets for pain or fever, at least six hours apart.",
    "قرصان عند الألم أو ارتفاع الحرارة، بفاصل ست ساعات على الأقل.",
)
TWO_TABLETS_AT_ONCE = Text("Take two tablets together.", "يؤخذ قرصان معًا.")
AT_THE_FIRST_SIGN = Text(
    "Take one tablet when the headache starts; a second after two hours if it returns.",
    "قرص عند بداية الصداع، وقرص ثان بعد ساعتين إذا عاد.",
)
ONCE_A_WEEK = Text(
    "Take once a week, on the same day each week.",
    "يؤخذ مرة واحدة أسبوعيًا، في اليوم نفسه من كل أسبوع.",
)
ONCE_A_WEEK_UPRIGHT = Text(
    "Take once a week on an empty stomach with a full glass of water; stay upright for half an "
    "hour.",
    "يؤخذ مرة أسبوعيًا على معدة فارغة مع كوب كامل من الماء، مع البقاء جالسًا أو واقفًا نصف ساعة.",
)
DAY_AFTER_METHOTREXATE = Text(
    "Take once a week, the day after methotrexate.",
    "يؤخذ مرة أسبوعيًا في اليوم التالي للميثوتركسات.",
)
INJECT_TEN_UNITS = Text(
    "Inject ten units under the skin at the same time every evening.",
    "تحقن عشر وحدات تحت الجلد في الموعد نفسه كل مساء.",
)
INJECT_ONCE_A_WEEK = Text(
    "Inject under the skin once a week, on the same day each week.",
    "يحقن تحت الجلد مرة واحدة أسبوعيًا، في اليوم نفسه من كل أسبوع.",
)
INHALE_AND_RINSE = Text(
    "Inhale one puff, then rinse your mouth with water.",
    "استنشق بخة واحدة ثم اغسل الفم بالماء.",
)
INHALE_FOR_BREATHLESSNESS = Text(
    "Inhale two puffs when short of breath.",
    "استنشق بختين عند ضيق التنفس.",
)
INHALE_ONE_CAPSULE = Text(
    "Inhale one capsule through the device; do not swallow it.",
    "استنشق كبسولة واحدة بالجهاز، ولا تبلعها.",
)
SPRAY_EACH_NOSTRIL = Text("One spray in each nostril.", "بخة واحدة في كل فتحة أنف.")
SPRAY_FIVE_DAYS_ONLY = Text(
    "One spray in each nostril, for no longer than five days.",
    "بخة واحدة في كل فتحة أنف، لمدة لا تزيد على خمسة أيام.",
)
DROP_EACH_EYE = Text("One drop in each eye.", "نقطة واحدة في كل عين.")
DROP_EACH_EYE_AT_BEDTIME = Text(
    "One drop in each eye at bedtime.",
    "نقطة واحدة في كل عين قبل النوم.",
)
DROP_SICK_EYE = Text("One drop in the affected eye.", "نقطة واحدة في العين المصابة.")
THIN_LAYER = Text(
    "Apply a thin layer to the affected skin.",
    "توضع طبقة رقيقة على الجلد المصاب.",
)
THIN_LAYER_AT_BEDTIME = Text(
    "Apply a thin layer to clean, dry skin at bedtime; keep away from the eyes.",
    "توضع طبقة رقيقة على بشرة نظيفة جافة قبل النوم، بعيدًا عن العينين.",
)
RUB_IN_GENTLY = Text(
    "Rub in gently over the painful joint.",
    "يدهن برفق فوق المفصل المؤلم.",
)
RINSE_AND_SPIT = Text(
    "Rinse the mouth for one minute after brushing, then spit out.",
    "مضمضة لمدة دقيقة بعد تنظيف الأسنان، ولا تبلع.",
)
GIVE_FIVE_ML = Text(
    "Shake well; give five millilitres with the measuring syringe.",
    "ترج الزجاجة جيدًا، ويعطى الطفل خمسة مليلترات بالسرنجة المدرجة.",
)
GIVE_FIVE_ML_FOR_FEVER = Text(
    "Give five millilitres for fever or pain, at least six hours apart.",
    "خمسة مليلترات عند الحرارة أو الألم، بفاصل ست ساعات على الأقل.",
)
AFTER_EACH_LOOSE_STOOL = Text(
    "Dissolve one sachet as the pack says; give in small sips after each loose stool.",
    "يذاب كيس واحد حسب المدون على العبوة، ويعطى رشفات صغيرة بعد كل إسهال.",
)

INSTRUCTIONS: tuple[Text, ...] = (
    IN_THE_MORNING,
    IN_THE_EVENING,
    BEFORE_BREAKFAST,
    BEFORE_MEALS,
    WITH_FOOD,
    AFTER_FOOD,
    WITH_WATER,
    FINISH_THE_COURSE,
    SAME_TIME_DAILY,
    DO_NOT_STOP_SUDDENLY,
    FOR_PAIN_OR_FEVER,
    TWO_FOR_PAIN_OR_FEVER,
    TWO_TABLETS_AT_ONCE,
    AT_THE_FIRST_SIGN,
    ONCE_A_WEEK,
    ONCE_A_WEEK_UPRIGHT,
    DAY_AFTER_METHOTREXATE,
    INJECT_TEN_UNITS,
    INJECT_ONCE_A_WEEK,
    INHALE_AND_RINSE,
    INHALE_FOR_BREATHLESSNESS,
    INHALE_ONE_CAPSULE,
    SPRAY_EACH_NOSTRIL,
    SPRAY_FIVE_DAYS_ONLY,
    DROP_EACH_EYE,
    DROP_EACH_EYE_AT_BEDTIME,
    DROP_SICK_EYE,
    THIN_LAYER,
    THIN_LAYER_AT_BEDTIME,
    RUB_IN_GENTLY,
    RINSE_AND_SPIT,
    GIVE_FIVE_ML,
    GIVE_FIVE_ML_FOR_FEVER,
    AFTER_EACH_LOOSE_STOOL,
)

CONDITIONS: dict[str, tuple[Condition, ...]] = {
    "family-medicine": (
        Condition(
            Text("Streptococcal pharyngitis", "التهاب الحلق العقدي"),
            (
                Medicine("Amoxicillin", "500 mg", "ORAL", 2, 10, 20, FINISH_THE_COURSE),
                Medicine(
                    "Paracetamol",
                    "500 mg",
                    "ORAL",
                    4,
                    3,
                    24,
                    TWO_FOR_PAIN_OR_FEVER,
                    as_needed=True,
                ),
            ),
            max_age=60,
        ),
        Condition(
            Text("Iron-deficiency anaemia", "فقر الدم الناتج عن نقص الحديد"),
            (Medicine("Ferrous sulfate", "200 mg", "ORAL", 1, 30, 30, WITH_WATER, refills=2),),
        ),
    ),
    "internal-medicine": (
        Condition(
            Text("Mixed dyslipidaemia", "اضطراب دهون الدم المختلط"),
            (Medicine("Rosuvastatin", "10 mg", "ORAL", 1, 30, 30, IN_THE_EVENING, refills=2),),
            min_age=40,
        ),
        Condition(
            Text("Seasonal allergic rhinitis", "حساسية الأنف الموسمية"),
            (Medicine("Loratadine", "10 mg", "ORAL", 1, 14, 14, SAME_TIME_DAILY),),
        ),
    ),
    "paediatrics": (
        Condition(
            Text("Acute otitis media", "التهاب الأذن الوسطى الحاد"),
            (
                Medicine("Amoxicillin", "400 mg/5 mL", "ORAL", 2, 7, 1, GIVE_FIVE_ML),
                Medicine(
                    "Paracetamol",
                    "120 mg/5 mL",
                    "ORAL",
                    4,
                    3,
                    1,
                    GIVE_FIVE_ML_FOR_FEVER,
                    as_needed=True,
                ),
            ),
            min_age=1,
            max_age=2,
        ),
        Condition(
            Text("Acute gastroenteritis", "النزلة المعوية الحادة"),
            (
                Medicine(
                    "Oral rehydration salts",
                    "one sachet",
                    "ORAL",
                    6,
                    3,
                    18,
                    AFTER_EACH_LOOSE_STOOL,
                    as_needed=True,
                ),
                Medicine("Zinc sulfate", "20 mg", "ORAL", 1, 10, 10, AFTER_FOOD),
            ),
            min_age=1,
            max_age=5,
        ),
    ),
    "obstetrics-gynaecology": (
        Condition(
            Text("Iron-deficiency anaemia in pregnancy", "فقر الدم بنقص الحديد في أثناء الحمل"),
            (
                Medicine("Ferrous sulfate", "200 mg", "ORAL", 1, 30, 30, WITH_WATER, refills=2),
                Medicine("Folic acid", "400 micrograms", "ORAL", 1, 30, 30, SAME_TIME_DAILY),
            ),
            sex="FEMALE",
            max_age=45,
        ),
        Condition(
            Text("Heavy menstrual bleeding", "غزارة الطمث"),
            (Medicine("Tranexamic acid", "500 mg", "ORAL", 3, 4, 24, TWO_TABLETS_AT_ONCE),),
            sex="FEMALE",
            max_age=50,
        ),
        Condition(
            Text("Primary dysmenorrhoea", "عسر الطمث الأولي"),
            (Medicine("Mefenamic acid", "500 mg", "ORAL", 3, 3, 9, AFTER_FOOD),),
            sex="FEMALE",
            max_age=40,
        ),
    ),
    "cardiology": (
        Condition(
            Text("Essential hypertension", "ارتفاع ضغط الدم الأساسي"),
            (
                Medicine("Amlodipine", "5 mg", "ORAL", 1, 30, 30, SAME_TIME_DAILY, refills=2),
                Medicine("Ramipril", "5 mg", "ORAL", 1, 30, 30, IN_THE_EVENING, refills=2),
            ),
            min_age=46,
        ),
        Condition(
            Text("Stable coronary artery disease", "مرض الشرايين التاجية المستقر"),
            (
                Medicine("Aspirin", "75 mg", "ORAL", 1, 30, 30, AFTER_FOOD, refills=2),
                Medicine("Bisoprolol", "5 mg", "ORAL", 1, 30, 30, DO_NOT_STOP_SUDDENLY, refills=2),
                Medicine("Atorvastatin", "40 mg", "ORAL", 1, 30, 30, IN_THE_EVENING, refills=2),
            ),
            min_age=46,
        ),
        Condition(
            Text("Atrial fibrillation", "الرجفان الأذيني"),
            (
                Medicine("Apixaban", "5 mg", "ORAL", 2, 30, 60, DO_NOT_STOP_SUDDENLY, refills=2),
                Medicine("Bisoprolol", "2.5 mg", "ORAL", 1, 30, 30, IN_THE_MORNING, refills=2),
            ),
            min_age=50,
            max_age=79,
        ),
        Condition(
            Text("Chronic heart failure", "قصور القلب المزمن"),
            (
                Medicine("Furosemide", "40 mg", "ORAL", 1, 30, 30, IN_THE_MORNING, refills=1),
                Medicine("Spironolactone", "25 mg", "ORAL", 1, 30, 30, WITH_FOOD, refills=1),
            ),
            min_age=50,
        ),
    ),
    "pulmonology": (
        Condition(
            Text("Persistent asthma", "الربو الشعبي المستمر"),
            (
                Medicine(
                    "Budesonide/formoterol",
                    "160/4.5 micrograms",
                    "INHALATION",
                    2,
                    30,
                    1,
                    INHALE_AND_RINSE,
                    refills=2,
                ),
                Medicine(
                    "Salbutamol",
                    "100 micrograms",
                    "INHALATION",
                    4,
                    30,
                    1,
                    INHALE_FOR_BREATHLESSNESS,
                    as_needed=True,
                ),
                Medicine("Montelukast", "10 mg", "ORAL", 1, 30, 30, IN_THE_EVENING, refills=2),
            ),
        ),
        Condition(
            Text("Chronic obstructive pulmonary disease", "مرض الانسداد الرئوي المزمن"),
            (
                Medicine(
                    "Tiotropium",
                    "18 micrograms",
                    "INHALATION",
                    1,
                    30,
                    30,
                    INHALE_ONE_CAPSULE,
                    refills=2,
                ),
            ),
            min_age=45,
        ),
        Condition(
            Text("Community-acquired pneumonia", "الالتهاب الرئوي المكتسب من المجتمع"),
            (
                Medicine("Amoxicillin/clavulanic acid", "875/125 mg", "ORAL", 2, 7, 14, WITH_FOOD),
                Medicine("Azithromycin", "500 mg", "ORAL", 1, 3, 3, FINISH_THE_COURSE),
            ),
        ),
    ),
    "gastroenterology": (
        Condition(
            Text("Gastro-oesophageal reflux disease", "ارتجاع المريء"),
            (Medicine("Esomeprazole", "40 mg", "ORAL", 1, 28, 28, BEFORE_BREAKFAST),),
        ),
        Condition(
            Text("Helicobacter pylori gastritis", "التهاب المعدة بالجرثومة الحلزونية"),
            (
                Medicine("Esomeprazole", "40 mg", "ORAL", 2, 14, 28, BEFORE_MEALS),
                Medicine("Amoxicillin", "1 g", "ORAL", 2, 14, 28, FINISH_THE_COURSE),
                Medicine("Clarithromycin", "500 mg", "ORAL", 2, 14, 28, FINISH_THE_COURSE),
            ),
        ),
        Condition(
            Text("Irritable bowel syndrome", "متلازمة القولون العصبي"),
            (Medicine("Mebeverine", "135 mg", "ORAL", 3, 14, 42, BEFORE_MEALS),),
            max_age=60,
        ),
    ),
    "nephrology": (
        Condition(
            Text("Chronic kidney disease with albuminuria", "مرض كلوي مزمن مع زلال في البول"),
            (
                Medicine("Losartan", "50 mg", "ORAL", 1, 30, 30, SAME_TIME_DAILY, refills=2),
                Medicine("Dapagliflozin", "10 mg", "ORAL", 1, 30, 30, IN_THE_MORNING, refills=2),
            ),
            min_age=46,
        ),
    ),
    "endocrinology": (
        Condition(
            Text("Type 2 diabetes", "السكري من النوع الثاني"),
            (
                Medicine("Metformin", "1 g", "ORAL", 2, 30, 60, WITH_FOOD, refills=2),
                Medicine("Empagliflozin", "10 mg", "ORAL", 1, 30, 30, IN_THE_MORNING, refills=2),
            ),
            min_age=40,
        ),
        Condition(
            Text(
                "Type 2 diabetes, not controlled by tablets",
                "السكري من النوع الثاني غير المنضبط بالأقراص",
            ),
            (
                Medicine("Metformin", "1 g", "ORAL", 2, 30, 60, WITH_FOOD, refills=2),
                Medicine(
                    "Insulin glargine",
                    "100 units/mL",
                    "SUBCUTANEOUS",
                    1,
                    30,
                    2,
                    INJECT_TEN_UNITS,
                    refills=2,
                ),
            ),
            min_age=40,
        ),
        Condition(
            Text("Obesity with type 2 diabetes", "السمنة مع السكري من النوع الثاني"),
            (
                Medicine(
                    "Semaglutide",
                    "0.25 mg",
                    "SUBCUTANEOUS",
                    1,
                    28,
                    1,
                    INJECT_ONCE_A_WEEK,
                    frequency_unit="WEEK",
                ),
            ),
            min_age=46,
            max_age=70,
        ),
        Condition(
            Text("Primary hypothyroidism", "قصور الغدة الدرقية الأولي"),
            (
                Medicine(
                    "Levothyroxine",
                    "50 micrograms",
                    "ORAL",
                    1,
                    30,
                    30,
                    BEFORE_BREAKFAST,
                    refills=2,
                ),
            ),
        ),
        Condition(
            Text("Vitamin D deficiency", "نقص فيتامين د"),
            (
                Medicine(
                    "Colecalciferol",
                    "50,000 units",
                    "ORAL",
                    1,
                    56,
                    8,
                    ONCE_A_WEEK,
                    frequency_unit="WEEK",
                ),
            ),
        ),
    ),
    "rheumatology": (
        Condition(
            Text("Rheumatoid arthritis", "التهاب المفاصل الروماتويدي"),
            (
                Medicine(
                    "Methotrexate",
                    "15 mg",
                    "SUBCUTANEOUS",
                    1,
                    28,
                    4,
                    INJECT_ONCE_A_WEEK,
                    frequency_unit="WEEK",
                ),
                Medicine(
                    "Folic acid",
                    "5 mg",
                    "ORAL",
                    1,
                    28,
                    4,
                    DAY_AFTER_METHOTREXATE,
                    frequency_unit="WEEK",
                ),
            ),
            min_age=50,
            max_age=75,
        ),
        Condition(
            Text("Gout", "النقرس"),
            (
                Medicine("Allopurinol", "100 mg", "ORAL", 1, 30, 30, AFTER_FOOD, refills=2),
                Medicine("Colchicine", "500 micrograms", "ORAL", 2, 30, 60, WITH_WATER),
            ),
            sex="MALE",
            min_age=35,
            max_age=70,
        ),
    ),
    "dermatology": (
        Condition(
            Text("Atopic eczema", "الإكزيما التأتبية"),
            (
                Medicine("Mometasone", "0.1%", "TOPICAL", 1, 14, 1, THIN_LAYER),
                Medicine("Cetirizine", "10 mg", "ORAL", 1, 14, 14, IN_THE_EVENING),
            ),
        ),
        Condition(
            Text("Acne vulgaris", "حب الشباب"),
            (
                Medicine("Adapalene", "0.1%", "TOPICAL", 1, 30, 1, THIN_LAYER_AT_BEDTIME),
                Medicine("Doxycycline", "100 mg", "ORAL", 1, 30, 30, WITH_WATER),
            ),
            sex="MALE",
            max_age=35,
        ),
        Condition(
            Text("Ringworm of the body", "سعفة الجسم"),
            (Medicine("Terbinafine", "1%", "TOPICAL", 1, 14, 1, THIN_LAYER),),
        ),
    ),
    "otolaryngology": (
        Condition(
            Text("Allergic rhinitis", "حساسية الأنف"),
            (
                Medicine("Mometasone", "50 micrograms", "NASAL", 1, 30, 1, SPRAY_EACH_NOSTRIL),
                Medicine("Desloratadine", "5 mg", "ORAL", 1, 30, 30, SAME_TIME_DAILY),
            ),
        ),
        Condition(
            Text("Acute bacterial sinusitis", "التهاب الجيوب الأنفية البكتيري الحاد"),
            (
                Medicine("Amoxicillin/clavulanic acid", "875/125 mg", "ORAL", 2, 7, 14, WITH_FOOD),
                Medicine("Xylometazoline", "0.1%", "NASAL", 3, 5, 1, SPRAY_FIVE_DAYS_ONLY),
            ),
            max_age=60,
        ),
    ),
    "ophthalmology": (
        Condition(
            Text("Primary open-angle glaucoma", "المياه الزرقاء مفتوحة الزاوية"),
            (
                Medicine(
                    "Latanoprost",
                    "0.005%",
                    "OPHTHALMIC",
                    1,
                    28,
                    1,
                    DROP_EACH_EYE_AT_BEDTIME,
                    refills=2,
                ),
                Medicine("Timolol", "0.5%", "OPHTHALMIC", 2, 28, 1, DROP_EACH_EYE, refills=2),
            ),
            min_age=45,
        ),
        Condition(
            Text("Bacterial conjunctivitis", "التهاب الملتحمة البكتيري"),
            (Medicine("Moxifloxacin", "0.5%", "OPHTHALMIC", 3, 7, 1, DROP_SICK_EYE),),
        ),
        Condition(
            Text("Dry eye", "جفاف العين"),
            (Medicine("Sodium hyaluronate", "0.2%", "OPHTHALMIC", 4, 30, 2, DROP_EACH_EYE),),
        ),
        Condition(
            Text("Allergic conjunctivitis", "حساسية العين"),
            (Medicine("Olopatadine", "0.1%", "OPHTHALMIC", 2, 14, 1, DROP_EACH_EYE),),
        ),
    ),
    "neurology": (
        Condition(
            Text("Migraine", "الصداع النصفي"),
            (
                Medicine(
                    "Sumatriptan", "50 mg", "ORAL", 2, 30, 6, AT_THE_FIRST_SIGN, as_needed=True
                ),
                Medicine(
                    "Propranolol", "40 mg", "ORAL", 2, 30, 60, DO_NOT_STOP_SUDDENLY, refills=1
                ),
            ),
            max_age=50,
        ),
        Condition(
            Text("Epilepsy", "الصرع"),
            (
                Medicine(
                    "Levetiracetam", "500 mg", "ORAL", 2, 30, 60, DO_NOT_STOP_SUDDENLY, refills=2
                ),
            ),
            max_age=60,
        ),
        Condition(
            Text("Painful diabetic neuropathy", "التهاب الأعصاب السكري المؤلم"),
            (Medicine("Pregabalin", "75 mg", "ORAL", 2, 30, 60, DO_NOT_STOP_SUDDENLY),),
            min_age=40,
            max_age=75,
        ),
    ),
    "psychiatry": (
        Condition(
            Text("Depressive episode", "نوبة اكتئاب"),
            (Medicine("Sertraline", "50 mg", "ORAL", 1, 30, 30, IN_THE_MORNING, refills=1),),
        ),
        Condition(
            Text("Generalised anxiety disorder", "اضطراب القلق العام"),
            (
                Medicine(
                    "Escitalopram", "10 mg", "ORAL", 1, 30, 30, DO_NOT_STOP_SUDDENLY, refills=1
                ),
            ),
            max_age=64,
        ),
    ),
    "orthopaedics": (
        Condition(
            Text("Osteoarthritis of the knee", "خشونة الركبة"),
            (
                Medicine("Diclofenac", "1%", "TOPICAL", 3, 14, 2, RUB_IN_GENTLY),
                Medicine(
                    "Paracetamol",
                    "1 g",
                    "ORAL",
                    3,
                    14,
                    42,
                    FOR_PAIN_OR_FEVER,
                    as_needed=True,
                ),
            ),
            min_age=45,
        ),
        Condition(
            Text("Acute low back pain", "ألم أسفل الظهر الحاد"),
            (Medicine("Ibuprofen", "400 mg", "ORAL", 3, 5, 15, AFTER_FOOD),),
            max_age=60,
        ),
        Condition(
            Text("Osteoporosis", "هشاشة العظام"),
            (
                Medicine(
                    "Alendronic acid",
                    "70 mg",
                    "ORAL",
                    1,
                    28,
                    4,
                    ONCE_A_WEEK_UPRIGHT,
                    refills=2,
                    frequency_unit="WEEK",
                ),
            ),
            min_age=55,
        ),
    ),
    "urology": (
        Condition(
            Text("Benign prostatic hyperplasia", "تضخم البروستاتا الحميد"),
            (Medicine("Tamsulosin", "400 micrograms", "ORAL", 1, 30, 30, AFTER_FOOD, refills=2),),
            sex="MALE",
            min_age=50,
        ),
        Condition(
            Text("Acute cystitis", "التهاب المثانة الحاد"),
            (Medicine("Nitrofurantoin", "100 mg", "ORAL", 2, 5, 10, WITH_FOOD),),
            sex="FEMALE",
            max_age=65,
        ),
    ),
    "dentistry": (
        Condition(
            Text("Dental abscess", "خراج الأسنان"),
            (
                Medicine("Amoxicillin", "500 mg", "ORAL", 3, 5, 15, FINISH_THE_COURSE),
                Medicine("Metronidazole", "500 mg", "ORAL", 3, 5, 15, AFTER_FOOD),
                Medicine("Ibuprofen", "400 mg", "ORAL", 3, 3, 9, AFTER_FOOD),
            ),
            max_age=60,
        ),
        Condition(
            Text("Gingivitis", "التهاب اللثة"),
            (Medicine("Chlorhexidine", "0.2%", "TOPICAL", 2, 14, 1, RINSE_AND_SPIT),),
        ),
    ),
}

# Remarks that fit any prescription.
# What doctors tell of themselves. They fit every specialty, and either sex.
BIOS: tuple[Text, ...] = (
    Text(
        "I listen first. We decide together, and you leave with a plan in writing.",
        "أستمع إليك أولًا، ثم نقرر معًا، وتخرج من العيادة بخطة مكتوبة.",
    ),
    Text(
        "Trained at Kasr Al Ainy. I explain every test before I ask for it.",
        "خبرة من قصر العيني، مع شرح كل فحص قبل طلبه.",
    ),
    Text(
        "Long experience with long-term illness. Evening clinics for people who work.",
        "خبرة طويلة في متابعة الأمراض المزمنة، مع عيادة مسائية لمن يعملون نهارًا.",
    ),
    Text(
        "I see whole families and take time for questions. The clinic has step-free access.",
        "متابعة لكل أفراد الأسرة ووقت كافٍ للأسئلة، ومدخل العيادة بلا درج.",
    ),
)
STREETS: tuple[Text, ...] = (
    Text("El-Nasr Street", "شارع النصر"),
    Text("El-Gomhoria Street", "شارع الجمهورية"),
    Text("El-Tahrir Street", "شارع التحرير"),
    Text("Saad Zaghloul Street", "شارع سعد زغلول"),
)

# What patients write when they ask a doctor, and what doctors answer who decline.
ASKED_FOR: tuple[Text, ...] = (
    Text("My blood pressure is high since the summer.", "ضغط دمي مرتفع منذ الصيف."),
    Text(
        "A colleague told me about you. I should like a check-up.",
        "حدثني عنك زميل لي. أود إجراء فحص عام.",
    ),
    Text("I have moved here and need a doctor.", "انتقلت إلى هنا وأبحث عن طبيب جديد."),
    Text("My last prescription ends this month.", "تنتهي آخر وصفة لي هذا الشهر."),
)
DECLINED: tuple[Text, ...] = (
    Text("My list is full until spring.", "قائمتي ممتلئة حتى الربيع."),
    Text(
        "This is better seen by another specialty. Please ask your family doctor.",
        "الأنسب لحالتك تخصص آخر. يرجى سؤال طبيب الأسرة.",
    ),
)
REMARKS: tuple[Text, ...] = (
    Text("Please come back in four weeks.", "يرجى المراجعة بعد أربعة أسابيع."),
    Text("Please bring the result of the blood test.", "يرجى إحضار نتيجة تحليل الدم."),
    Text("Drink plenty of water.", "يرجى الإكثار من شرب الماء."),
    Text("Please call if it gets worse.", "يرجى الاتصال إذا ساءت الحالة."),
)
