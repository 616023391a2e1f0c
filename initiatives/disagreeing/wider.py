"""More words that the finder knows, beside those of lexicon.py: trades, synonyms, and how people shorten them.

A word that stands in both keeps its meaning in lexicon.py; of two lines here the first one has it.
"""

# One concept a line: its synonyms after it.
CONCEPTS = """
accident: accident, unfall, accident de travail, crash, collision
agent: vermittler, intermediary, sales representative, handelsvertreter, broker, makler, courtier
allocate: allocate, allocated, allocation, umlage, zugeteilt, zuteilung, verteilt, imputation, assigned,
    assign
allowance: allowance, bonus, zulage, pramie extra, indemnite, gratification
applicant: applicant, candidate, bewerber, antragsteller, demandeur, candidat
application: application, antrag, bewerbung, candidature, applied
armour: armour, armoured, armored, gepanzert, panzer, blinde
army: army, military, armee, bundeswehr, militar, militaire, troops, armed forces
association: association, verein, club, verband
barrel: barrel, fass, tonneau, drum, keg
base: base, basis, grundgesamtheit, population of reference
beat: beat, heartbeat, herzschlag, puls, pulse, pouls, battement
boarding: boarding, boarded, einstieg, einsteiger, embarquement
bottle: bottle, flasche, bouteille
bridge: bridge, brucke, pont
broadcast: broadcast, rundfunk
catch: catch, fang, landed, landings, fang gelandet
certificate: certificate, zertifikat, bescheinigung, attest, attestation, certificat
channel: channel, kanal, canal, vertriebsweg
charging: charging, charge of a battery, ladevorgang, charged at, recharge
chemical: chemical, chemikalie, produit chimique
clean: clean, cleaning, cleaned, reinigung, gereinigt, nettoyage
cloud: cloud
collect: collection, pickup, abholung
colleague: colleague, kollege, collegue
commission: commission, provision of sales, courtage
computer: computer, rechner, ordinateur, laptop, pc, workstation, arbeitsplatzrechner
connection: connection, anschluss, verbindung, raccordement
cook: cook, koch, cuisinier
copy: copy, kopie, exemplaire
cost centre: cost centre, cost center, kostenstelle, centre de couts
course: lecture, lecture series, vorlesung, seminar, lehrveranstaltung, teaching event
cubic metre: cubic metre, cubic meter, m3, cbm, kubikmeter, metre cube
customs: customs, zoll, douane, duty, duties, import duty, einfuhrzoll, droits de douane
database: database, datenbank, base de donnees
day care: day care, kita, creche, nursery
debt: debt, schulden, dette, liability, verbindlichkeit
decide: decide, decided, decision, bescheid, entscheidung, entschieden, ruling
detergent: detergent, cleaning agent, reinigungsmittel
diagnosis: diagnosis, diagnose, diagnostic
disease: disease, erkrankung, infection, infektion
dish: dish, meal, speise, mahlzeit, repas, plat, menu, course of a meal
domestic: domestic, inland, inlandisch, national, home market
dose: dose, dosis
enquiry: enquiry, inquiry, anfrage, demande de renseignement
employer: employer, arbeitgeber, employeur
enrol: enrol, enroll, enrolled, enrolment, enrollment, immatrikuliert, eingeschrieben, inscrit,
    inscription
exam: exam, examination, klausur, examen, prufung der hochschule
exchange: exchange, borse, bourse
export: export, exported, ausfuhr, exporte, exportation
film: film, movie, kino, cinema, footage
fine: fine, bussgeld, strafe, amende, penalty
fish: fish, fisch, poisson
fixed-term: fixed-term, fixed term, befristet, cdd, temporary contract
foreign: foreign, auslandisch, etranger, abroad, ausland
forest: forest, wald, foret, woodland
game: game, match, spiel, partie
garden: garden, garten, jardin
gas: gas, erdgas, gaz
goods: cargo, freight goods, fracht gut, ladung, chargement, load
grant: grant, subsidy, forderung zuschuss, subvention, zuwendung, funding, fordermittel
heart: heart, herz, coeur
height: height, hohe, hauteur, level
house use: house use, own use, eigenbedarf, usage interne, internal use
import: import, imported, einfuhr, importe, importation
infant: infant, baby, saugling, nourrisson
injury: injury, injured, verletzung, verletzt, blessure, blesse
insurance: insurance, versicherung, assurance
insurer: insurer, insurance company, versicherer, assureur
intercompany: intercompany, group-internal, konzernintern, intragroup, intragroupe, intra-group
item: invoice line, document line, rechnungsposition, belegposition, ligne de facture
journal: journal, magazine, zeitschrift, periodical, revue
judge: judge, richter, juge
laboratory: laboratory, lab, labor, laboratoire
lawsuit: lawsuit, klage, proces, litigation
lawyer: lawyer, attorney, anwalt, rechtsanwalt, avocat
leasing: leased, leasing, geleast, en leasing, rented in
leg: leg, sector, segment, teilstrecke, troncon
length: length, lange, longueur
lesson: lesson, unterricht, unterrichtsstunde
livestock unit: livestock unit, grossvieheinheit, gve, unite gros betail, ugb
maintenance: maintenance, wartung, instandhaltung, entretien, servicing
manager: manager, leiter, fuhrungskraft, chef, supervisor, vorgesetzte
meadow: meadow, wiese, pre, grassland
measure: measure, measured, messung, gemessen, mesure
meeting: meeting, besprechung, reunion
metal: metal, metall, copper, kupfer, aluminium
milk: milk, milch, lait
mortgage: mortgage, hypothek, hypotheque
museum: museum, musee
night shift: night shift, nachtschicht
nurse: nurse, krankenschwester, pfleger, pflegekraft, infirmier, infirmiere, carer
oil: oil, erdol, petrole
operating theatre: operating theatre, op-saal
operator: operator, betreiber, exploitant, bediener
orchestra: orchestra, orchester, orchestre
out of order: out of order, out-of-order, ausser betrieb zimmer, hors d'usage
park: park, parc, anlage im freien
parking: parking, parked, car park, cars are left, parkplatz, stationnement, park and ride
partner: partner, business partner, geschaftspartner, partenaire
pensioner: pensioner, retiree, rentner, pensionar, retraite person
pipe: pipe, rohr, leitung, tuyau, conduite
player: player, spieler, joueur
port: port, hafen
printer: printer, drucker, imprimante, print, printed, gedruckt, imprime
profit: profit, gewinn, benefice, ebit, ebitda
pump: pump, pumpe, pompe
quay: quay, kai, liegeplatz, berth
quota: quota, kontingent, allotment
rank: rank, rang
recipe: recipe, rezept, rezeptur, formulation, formula
region: region, gebiet, bezirk, district, zone
report: report, bericht, rapport
reserve: reserve, reserves, rucklage
restaurant: restaurant, gaststatte, gastwirtschaft
river: river, fluss, riviere, fleuve, stream
sample: sample, stichprobe, echantillon, specimen, muster
season: season, saison
self-employed: self-employed, freelancer, selbststandige, freiberufler, independant, freelance
seller: seller, verkaufer, vendeur, salesperson
semester: semester, trimester
server: server, serveur
ship: consignment, sendung, envoi, shipment
shrub: shrub, bush, strauch, arbuste
sim: sim, sim card, sim karte
software: software, program, programme, programm, logiciel, app
soldier: soldier, soldat
speed: speed, geschwindigkeit, vitesse
sport: sport
steel: steel, stahl, acier, alloy, legierung
subcontractor: subcontractor, subunternehmer, sous-traitant
surcharge: supplement, aufschlag
suspend: suspend, suspended, paused, ausgesetzt, pausiert, on hold, suspendu
temperature: temperature, temperatur
test account: test account, test user, testkonto, testbenutzer, compte de test, dummy account
timetable: timetable, fahrplan, horaire, schedule
tin: tin, blechdose, gebinde
tip: tip, tips, trinkgeld, pourboire
trade: trade, trading, handel, negoce
tram: tram, strassenbahn, tramway
university: university, hochschule, universitat, universite, college
vaccine: vaccine, vaccination, impfstoff, impfung, vaccin
vessel call: port call, anlauf
vial: vial, ampulle, flacon
virus: virus
war: war
waste: waste, refuse, garbage, abfall, mull, dechets, rubbish, trash
weapon: weapon, waffe, arme
wedding: wedding, hochzeit, mariage
weekend: weekend, wochenende, week-end
well: borehole, brunnen, bohrung, drilled source
wood: wood, timber, holz, bois
write off: write-off, written off, ausgebucht, abgeschrieben forderung, passe en perte, uncollectible
written: written, schriftlich, par ecrit
"""

# Months by what they are called or shortened to, without accents.
MONTHS = """
january: jan januar janvier
february: feb februar fevrier
march: mar marz mars maerz
april: apr avril
may: mai
june: jun juni juin
july: jul juli juillet
august: aug aout
september: sep sept septembre
october: oct okt oktober octobre
november: nov novembre
december: dec dez dezember decembre
"""

# Units that are shortened after a figure.
UNITS = """
days: d days tg
hours: h hr hrs std
weeks: w wk wks wo
months: mth mths mo mon mt mte
years: y yr yrs j
minutes: min mins mn
"""
