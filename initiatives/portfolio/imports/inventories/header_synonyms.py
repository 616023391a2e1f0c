# ruff: noqa: RUF001 - the sources' own dashes and apostrophes
"""Headers to guess the columns of unknown inventories. A person confirms the guess."""

from governance.tables.column_values import Guide

# Headers as other inventories write them; the first field that matches a header best takes it.
ALIASES = {
    "title": (
        "use case name", "use case id/name", "ai use case", "name", "title", "system name", "ai system name",
        "project name", "solution name", "application name", "algorithm name", "tool name", "name of tool",
        "initiative", "product name", "naam", "titel", "bezeichnung", "name des systems", "nom", "titre",
        "nom du système", "nombre", "título", "nombre del sistema", "nome", "titolo", "denominazione", "nazwa",
        "name of the ai system", "name ai system en", "naam van het algoritme", "naam algoritme", "naam toepassing",
        "naam systeem", "naam project", "projektname", "projekttitel", "name der anwendung", "name des ki-systems",
        "anwendung", "verfahren", "vorhaben", "systembezeichnung", "systemname", "ki-anwendung",
        "nom de l'algorithme", "nom de l'outil", "nom du projet", "nom du service", "nom de l'application",
        "intitulé", "dénomination", "intitulé du projet", "titre du projet", "nombre del proyecto",
        "nombre del algoritmo", "nombre de la aplicación", "nombre de la herramienta", "denominación",
        "nombre algoritmo", "proyecto", "nome del sistema", "nome del progetto", "nome do sistema",
        "nome do projeto", "título do projeto", "denominação", "sistema", "algoritmo", "algoritme", "toepassing",
        "use case", "use case title", "project title", "project", "solution", "application", "tool", "algorithm",
        "system", "case name", "anwendungsfall", "cas d'usage", "caso de uso", "caso d'uso", "nom du cas d'usage",
        "nombre del caso de uso",
    ),
    "organisation": (
        "agency", "department", "organisation", "organization", "ministry", "agency name", "government organization",
        "organisatie", "organisation name", "behörde", "ministerium", "ministère", "organisme", "organismo",
        "entidad", "amministrazione", "ente", "company", "business unit", "authority", "public body", "institution",
        "institución", "institucion", "instituição", "istituzione", "ministerio", "ministero", "ministério",
        "administration", "administración", "administração", "collectivité", "organisation responsable", "entité",
        "órgano", "órgão", "organización", "organização", "organizzazione", "responsible organisation",
        "responsible organisation name", "responsible organization", "verantwoordelijke organisatie",
        "overheidsorganisatie", "verantwortliche behörde", "zuständige behörde", "einrichtung", "ressort",
        "ministerie", "gemeente", "kommune", "verantwortliche stelle", "organisationseinheit", "agentschap", "amt",
        "owner organisation", "dienststelle", "unternehmen", "entreprise", "empresa", "azienda", "bedrijf",
    ),
    "bureau": (
        "bureau/component", "bureau", "bureau/component/office", "component", "office", "division", "sub-agency",
        "team", "agency bureau", "subdivision", "abteilung", "direction", "service", "departamento", "afdeling",
        "directie", "dienst", "referat", "fachbereich", "unité", "unidad", "dirección", "área", "ufficio",
        "dipartimento", "departamento responsable", "département", "servicio", "setor", "secretaria",
        "organisatieonderdeel", "fachabteilung", "sachgebiet", "bureau / component", "operating division",
        "sub agency", "subagency",
    ),
    "key": (
        "use case id", "use case id [agency abbrev.] – [#]", "id", "identifier", "reference", "ref", "number", "no",
        "nr", "inventory id", "ai register id", "unique id", "kennung", "identifiant", "identificador",
        "identificatie", "identificatienummer", "nummer", "referentie", "kenmerk", "laufende nummer", "lfd. nr",
        "aktenzeichen", "projekt-id", "numéro", "référence", "n°", "número", "código", "referencia", "codice",
        "identificativo", "código identificador", "record id", "use case number", "external id", "system id",
        "project id", "case id", "system number", "register no", "register number", "registration number",
        "registernummer", "registriernummer", "registratienummer", "numéro de registre", "número de registro",
    ),
    "stage": (
        "stage of development", "development stage", "stage", "status", "phase", "lifecycle stage",
        "lifecycle phase", "current stage of development", "ai system status", "deployment status", "project status",
        "state", "maturity", "statut", "état", "phase du projet", "estado", "fase", "stato", "entwicklungsstand",
        "status en", "fase del proyecto", "fase del progetto", "fase do projeto", "estado del proyecto",
        "estado del sistema", "estado de desarrollo", "estado de implementación", "estado actual",
        "estado do projeto", "situação", "situación", "stato del progetto", "stato di sviluppo",
        "stato di avanzamento", "stade", "stade de développement", "stade d'avancement", "étape", "avancement",
        "état d'avancement", "statut du projet", "statut de déploiement", "phase de développement", "projektstatus",
        "projektphase", "einsatzstatus", "entwicklungsstatus", "entwicklungsstufe", "nutzungsstatus",
        "betriebsstatus", "reifegrad", "stand", "stadium", "umsetzungsstand", "gebruiksstatus", "projectstatus",
        "projectfase", "ontwikkelfase", "levensfase", "levenscyclusfase", "implementation status",
        "implementation stage", "ai system status en", "use case status", "operational status", "development status",
        "phase of development", "life cycle stage", "current status", "current stage", "status of use",
    ),
    "problem": (
        "what problem is the ai intended to solve?", "problem", "purpose", "description", "summary",
        "intended purpose", "intended purpose and expected benefits of use case", "objective", "goal", "zweck",
        "beschreibung", "but", "objectif", "descripción", "finalidad", "objetivo", "descrizione", "doel",
        "omschrijving", "what is the intended purpose and expected benefits of the ai?", "description ai system en",
        "doelstelling", "doel en impact", "beschrijving", "toelichting", "korte beschrijving", "kurzbeschreibung",
        "projektbeschreibung", "ziel", "zielsetzung", "einsatzzweck", "verwendungszweck", "problemstellung",
        "aufgabe", "finalité", "finalités", "description du projet", "usage", "problème", "résumé", "propósito",
        "problema", "descripción del proyecto", "resumen", "objetivo del proyecto", "descripción general",
        "descrizione del progetto", "finalità", "scopo", "obiettivo", "descrição", "finalidade",
        "propósito do sistema", "short description", "use case description", "project description",
        "business problem", "use case summary", "goal and impact", "description of use", "purpose of use",
        "intended use",
    ),
    "vendor": (
        "vendor(s) name", "vendor", "vendor name", "supplier", "provider", "developer", "manufacturer",
        "leverancier", "anbieter", "fournisseur", "proveedor", "fornitore",
        "name of commercial product or service used", "hersteller", "lieferant", "dienstleister", "entwickler",
        "auftragnehmer", "ontwikkelaar", "éditeur", "prestataire", "développeur", "fabricante", "desarrollador",
        "proveedor tecnológico", "sviluppatore", "produttore", "desenvolvedor", "fornecedor", "vendors",
        "vendor/supplier", "supplier name",
    ),
    "contact": (
        "email address", "contact", "contact email", "e-mail", "email", "contact person", "point of contact",
        "owner", "business owner", "kontakt", "correo", "courriel", "contactgegevens", "ansprechpartner",
        "ansprechperson", "kontaktperson", "verantwortlicher", "contactpersoon", "eigenaar", "personne de contact",
        "adresse électronique", "référent", "responsable", "persona de contacto", "contacto", "correo electrónico",
        "contatto", "referente", "contato", "responsável", "e-mail-adresse", "emailadres", "contact name",
        "owner name", "owner email", "product owner",
    ),
    "began": (
        "date when ai use case became operational or the pilot’s start date", "date implemented", "start date",
        "operational date", "go-live date", "deployment date", "date of deployment", "in use since", "launch date",
        "begindatum", "startdatum", "date de début", "fecha de inicio", "in betrieb seit", "im einsatz seit",
        "einsatzbeginn", "einsatz seit", "inbetriebnahme", "produktivsetzung", "betriebsbeginn", "projektstart",
        "beginn", "seit", "in gebruik sinds", "ingebruikname", "datum ingebruikname", "startjaar",
        "date de mise en service", "date de mise en production", "date de lancement", "en service depuis",
        "mise en service", "année de début", "fecha de puesta en marcha", "fecha de implementación", "en uso desde",
        "fecha de lanzamiento", "año de inicio", "año de puesta en marcha", "data di avvio", "data di inizio",
        "in uso dal", "in uso da", "data de início", "em uso desde", "data de implantação", "start year",
        "year deployed", "year implemented", "go live", "go-live", "deployed on", "deployed since",
        "operational since", "live since", "first used", "date deployed", "date put into use", "in production since",
    ),
}  # fmt: skip
# What the cells of a column are, by which a guess is checked.
KINDS = {
    "title": "title",
    "organisation": "words",
    "bureau": "words",
    "key": "id",
    "stage": "status",
    "problem": "words",
    "vendor": "words",
    "began": "day",
}
# What a header speaks of besides, by which it is another field than its words suggest; as `spaced` writes it.
_VENDOR_COLUMNS = (
    r"\b(?:contact|kontakt|ansprech|vendor|supplier|provider|developer|agency|agencies|department|ministry|company"
    r"|office|bureau|organi[sz]ation|person|owner|user|unit|team|first|last|file|sheet|dataset|respons"
    r"|anbieter|hersteller|lieferant|behorde|leverancier|fournisseur|proveedor|prestataire|organisme|organismo|contract)"
)
NEVER = {
    "title": _VENDOR_COLUMNS,
    "organisation": r"\b(?:type|category|code|head|contact|e?mail|size|abbreviation|url|country|level)\b",
    "bureau": r"\b(?:type|category|code|contact|e?mail|level|inbox|users?|provider|model|size|catalog(?:ue)?)\b",
    "key": r"\b(?:name|phone|tel\w*|contact|zip|postal|contract|users?|people|of|version|vendor|ato|pia|e?mail)\b",
    "stage": (
        r"\b(?:dates?|since|updated?|reason|comments?|notes?|ato|risk|compliance|approval|contract|impact|assessment"
        r"|privacy|employment|record|publication|legal|reporting|fecha|seit|desde|depuis|sinds|mise a jour"
        r"|data d[aeio]\w*|united|country)\b|datum|data do?\b"
    ),
    "problem": r"\b(?:data|risks?|mitigation|stage|status|vendor|outputs?|training|legal|contact|changes?|model)\b",
    "vendor": r"\b(?:contact|e?mail|type|country|url|contract|cost)\b",
    "contact": r"\b(?:data|unit|type|frequency|dates?|status|organi[sz]ation|department)\b",
    "began": (
        r"\b(?:end|ends|ended|ende|einde|fin|fim|fine|termination|last|letzte\w*|laatste|dernier\w*|ultim\w*|next|expected"
        r"|target|planned|anticipated|geplant\w*|gepland\w*|prevue?s?|previst[ao]s?|status|statut|estado|stato|stade|stage"
        r"|mise a jour|created|creation|entry|report\w*|publi\w*|veroffent\w*|review\w*|retire\w*|decommission\w*"
        r"|approv\w*|submi\w*|initiated|acquisition|development|records?|register\w*)\b"
        r"|updat|modifi|modific|change|aktualis|actualis|actualiz|aggiorn|atualiz|wijzig|geander|anderung|status|stand\b"
        r"|einddatum|enddatum|einddat"
    ),
}
GUIDE = Guide(ALIASES, KINDS, NEVER)
