"""Invented people and words of the demo clinic; nobody here exists."""

FIRST_NAMES = {
    "F": "Ada Aisha Alba Amelia Ana Anaïs Beatriz Bronwyn Camille Chloé Clara Daniela Dilara Edith Eleni Elif Emma Esther Fatima Fiona "
    "Freya Grace Greta Hana Helena Ingrid Irena Isabel Jasmin Joan Julia Katarzyna Leila Lena Lucía Małgorzata "
    "Maren María Maya Mei "
    "Nadia Nora Olga Olivia Paula Priya Rosa Ruth Sana Sofía Svetlana Thandiwe Ursula Vera Yara "
    "Zeynep Zoë",
    "M": "Aaron Adam Alejandro Amir Anders Antoine Arjun Benedikt Björn Bruno Carlos César Daniel Dimitri Diego Edward Emil Enzo Erik Ewan "
    "Farid Felix Finn François George Giorgos Hassan Henry Hugo Igor Ivan Jack Jakub Jan Jorge José Jürgen Karim Kenji Lars Leon "
    "Luca Łukasz Marco Mateo Mehmet Miguel Milan Mohammed Nikos Noah Oliver Omar Owen Pablo Paul Rafael Samuel Søren Tomás "
    "Viktor Wei",
}
LAST_NAMES = (
    "Adeyemi Ågren "
    "Almeida Andersson Bauer Becker Bianchi Björk Blanc Brown Byrne Çelik Chen Clarke Costa Cruz Dąbrowski D'Angelo Demir "
    "Dubois Duarte Eriksen Evans Fernández Fischer Fournier Fraser "
    "García Georgiou Grant Greco Haddad Hansen Hoffmann Hughes Ivanova Jansen "
    "Jensen Johnson Jones Kaya Keller Khan Kim Kowalski Krüger Kumar Lambert Larsen Lee Leroy López MacDonald Maier Marino Martin Martínez "
    "Mensah Meyer Moreau Müller Murphy Nguyen Nielsen Novák Nowak O'Brien O'Connor Okafor Olsen Öztürk Papadopoulos Patel Pereira Peeters "
    "Petrov Popescu "
    "Reyes Ricci Rossi Roux Ryan Said Sánchez Santos "
    "Schmidt Schneider Silva Singh Smith Sokolov Stewart Suzuki Svensson "
    "Szabó Taylor Teixeira Thompson Torres Tremblay Van_der_Berg Vasquez Virtanen Wagner Walker "
    "Wang Weber Williams Wright Yılmaz Zhang Zieliński"
).replace("_", "\u00a0")
STREETS = (
    "Birch Lane|Canal Street|Cedar Road|Church Walk|Harbour View|High Street|Lime Avenue|Mill Road|Orchard Close|Park Row|Station Road"
)
TOWNS = "Northbridge|Eastwick|Harborough|Millbrook|Westfield"
DOCTORS = (
    ("dora", "Dr Dora Kim", "Family medicine", "MD, general practice", 14, "60", True),
    ("hugo", "Dr Hugo Lambert", "Internal medicine", "MD, internal medicine", 22, "85", True),
    ("priya", "Dr Priya Nair", "Paediatrics", "MD, child health", 9, "70", True),
    ("samuel", "Dr Samuel Okafor", "Cardiology", "MD, PhD, cardiology", 27, "120", True),
    ("elena", "Dr Elena Rossi", "Dermatology", "MD, dermatology", 11, "80", True),
    ("lars", "Dr Lars Virtanen", "Orthopaedics", "MD, orthopaedic surgery", 18, "95", True),
)
REASONS = (
    "Cough for a week",
    "Blood pressure check",
    "Back pain",
    "Rash on the arm",
    "Repeat prescription",
    "Sore throat",
    "Headache",
    "Knee pain",
    "Vaccination",
    "Blood results",
    "Fever",
    "Check-up",
    "Shortness of breath",
    "Stomach ache",
    "Diabetes review",
    "Ear ache",
    "Travel advice",
    "Tiredness",
    "Mole check",
    "Follow-up",
)
TAGS = ("interpreter", "wheelchair", "prefers mornings", "new patient", "carer present")
ALLERGIES = (
    ("penicillin", "allergy", "rash", "moderate"),
    ("ibuprofen", "intolerance", "stomach pain", "mild"),
    ("latex", "allergy", "itching", "mild"),
    ("peanut", "allergy", "swelling of the lips", "severe"),
    ("codeine", "intolerance", "nausea", "mild"),
    ("sulfamethoxazole", "allergy", "widespread rash", "severe"),
)
PROBLEMS = (
    ("I10", "Essential (primary) hypertension"),
    ("E11.9", "Type 2 diabetes mellitus without complications"),
    ("J45.909", "Unspecified asthma"),
    ("M54.50", "Low back pain"),
    ("K21.9", "Gastro-oesophageal reflux disease"),
    ("G43.909", "Migraine"),
    ("F41.1", "Generalised anxiety disorder"),
)
MEDICINES = (
    ("amlodipine", "5 mg", "tablet", "Take 1 tablet by mouth once a day.", "blood pressure"),
    ("metformin", "500 mg", "tablet", "Take 1 tablet by mouth twice a day.", "diabetes"),
    ("salbutamol", "100 micrograms per puff", "inhaler", "Inhale 2 puffs as needed for wheeze.", "asthma"),
    ("omeprazole", "20 mg", "gastro-resistant capsule", "Take 1 capsule by mouth once a day.", "reflux"),
)
#: Notes of past visits: (subjective, objective, assessment, plan).
STORIES = (
    (
        "Dry cough for eight days, no fever, sleeps well.",
        "Chest clear, throat slightly red.",
        "Viral upper respiratory infection.",
        "Rest and fluids. Come back if fever or shortness of breath.",
    ),
    (
        "Home readings around 150 over 95 in the mornings.",
        "Regular pulse, no oedema.",
        "Blood pressure above target.",
        "Start amlodipine, review in four weeks with home readings.",
    ),
    (
        "Low back pain after lifting a box, no leg pain.",
        "Full strength, straight leg raise negative.",
        "Mechanical low back pain.",
        "Keep moving, paracetamol as needed, exercises shown.",
    ),
    (
        "Itching red patches on both elbows for a month.",
        "Dry scaly plaques, no infection.",
        "Atopic eczema.",
        "Emollient twice a day, hydrocortisone cream for seven days.",
    ),
    (
        "Sore throat and fever for two days.",
        "Tonsils red with white spots, neck nodes tender.",
        "Acute tonsillitis.",
        "Phenoxymethylpenicillin unless allergic; fluids; return if worse.",
    ),
    ("Feels well. Came for the yearly check.", "Examination unremarkable.", "Healthy.", "Next check in twelve months."),
)
PASSWORD_WORDS = (
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "glade",
    "heron",
    "ivory",
    "juniper",
    "karst",
    "lagoon",
    "maple",
    "nectar",
    "opal",
    "pebble",
    "quartz",
    "river",
    "sable",
    "tundra",
)
