"""The words that the finder knows, in English, German and French.

Words are compared by their stems, so that plurals and most endings need no entry of their own. What is not here is
compared as it is written. A phrase counts before its words. A line that is indented goes on with the one above.
"""


def words(text: str) -> frozenset[str]:
    """The words of a text, each once."""
    return frozenset(text.split())


def lines(text: str) -> list[str]:
    """The lines of a table, each with the lines that go on with it."""
    found: list[str] = []
    for line in text.strip("\n").splitlines():
        if line.startswith("    "):
            found[-1] += " " + line.strip()
        else:
            found.append(line)
    return found


# One concept a line: its synonyms after it.
CONCEPTS = """
absence: absence, absent, abwesenheit, abwesend, fehlzeit, leave
accept: accept, accepted, acceptance, angenommen, annahme, abnahme, accepte
account: account, konto, kundenkonto, compte
active: active, aktiv, actif, live, in use, in operation, in betrieb, en service, in force, valid,
    gultig, valable, current
address: address, adresse, anschrift
admit: admit, admitted, admission, aufnahme, aufgenommen, admis
adult: adult, grown-up, erwachsene, adulte
age: age, aged, alter, years old
agency worker: agency worker, temp, temporary worker, temporary staff, leiharbeiter, leiharbeitnehmer,
    zeitarbeiter, interimaire, contractor, external staff, externe
agree: agree, agreed, vereinbart, convenu
aircraft: aircraft, aeroplane, airplane, plane, flugzeug, avion, airframe
amount: amount, sum of money, betrag, montant, value, wert, valeur
animal: animal, tier, livestock, vieh, betail
apprentice: apprentice, trainee, auszubildende, azubi, lehrling, apprenti, learning a trade
approve: approve, approved, approval, genehmigt, genehmigung, freigegeben, freigabe, approuve, release,
    released
arrival: arrival, arrive, ankunft, anreise, arrivee
article: article, artikel, item for sale, sku, product, produkt, produit, goods, ware, marchandise,
    merchandise
assembly: assembly, montage, assemblage
asset: asset, anlage, anlagegut, actif immobilise
authority: authority, behorde, amt, autorite
average: average, mean, durchschnitt, mittelwert, moyenne
bank: bank, banking, banque
batch: batch, lot, charge, los
bed: bed, bett, lit
bill: invoice, bill, rechnung, faktura, facture, invoiced, billed, fakturiert, berechnet
birth: birth, born, geburt, geboren, naissance
block: block, blocked, gesperrt, sperre, bloque, lock, locked
booking: booking, book, booked, reservation, reserve, buchung, gebucht, reservierung
borrower: borrower, debtor, schuldner, kreditnehmer, darlehensnehmer, emprunteur, debiteur
box: box, parcel, package, paket, colis
branch: branch, filiale, zweigstelle, niederlassung, succursale, agence
budget year: budget year, haushaltsjahr
building: building, house, haus, gebaude, batiment, immeuble, maison
bus: bus, autobus
business: business, gewerbe, betrieb, company, firm, firma, unternehmen, societe, entreprise,
    enterprise, legal entity, juristische person, personne morale, organisation, organization,
    corporation
calendar day: calendar day, kalendertag, jour calendaire, jour civil
call off: call-off, abruf, appel de commande
call: call, anruf, appel
cancel: cancel, cancelled, cancellation, canceled, storniert, storno, stornierung, annule, annulation,
    void, voided
capital: capital, kapital
car: car, auto, pkw, voiture, passenger car
card: card, karte, carte
carrier: carrier, haulier, spediteur, frachtfuhrer, transporteur, forwarder
case: case, matter, fall, vorgang, dossier, affaire
cash: cash, bargeld, especes
cent: cent, cents
check: check, inspect, inspection, prufung, gepruft, controle, pruefung, audit, test, tested
child: child, kid, minor, kinder, enfant, children
city: city, town, municipality, stadt, gemeinde, ville, commune
civil status: civil status, marital status, familienstand, etat civil, situation familiale
claim: claim, schaden, schadenfall, sinistre, forderung, creance, receivable
class: class, klasse, classe
close: close, closed, closing, closure, abgeschlossen, geschlossen, cloture, ferme, completed, complete,
    finished, erledigt, termine, resolve, resolved, gelost, resolu
collect: collect, pick up, pickup, abgeholt, abholung, enlevement, collected
commitment: commitment, committed, zusage, engagement
complaint: complaint, beschwerde, reklamation, reclamation, plainte
complete hours: contract hours, contractual hours, weekly hours, weekly hours agreed, vertragsstunden
complimentary: complimentary, free of charge, free, gratis, kostenlos, gratuit, unentgeltlich
concert: concert, konzert
confirm: confirm, confirmed, confirmation, bestatigt, bestatigung, confirme
consent: consent, einwilligung, zustimmung, consentement, opt-in, opted in
consolidated: consolidated, konsolidiert, consolide
construction: construction, bau, chantier
consumption: consumption, consumed, verbrauch, consommation
container: container, conteneur
contract: contract, agreement, vertrag, contrat, lease, mietvertrag, bail, policy, police
cost: cost, kosten, aufwand, cout, expense, expenditure, charges
count: count, anzahl, zahl, nombre, number of
country: country, land, pays, nation
couple: couple, ehepaar, paar, spouses, ehegatten
course: course, kurs, cours, class taught
court: court, gericht, tribunal
create: create, created, angelegt, erstellt, erfasst, entered, recorded, cree, saisi, opened, open,
    eroffnet, ouvert, raised, registered
credit note: credit note, gutschrift, avoir, credit memo
currency: currency, wahrung, devise, monnaie
customer: customer, client, kunde, kundin, acheteur, buyer, purchaser, kaufer, auftraggeber
damage: damage, beschadigung, dommage
date: date, datum, day, tag, jour
death: death, dead, dies, died, deceased, tod, verstorben, todesfall, deces, decede
deduct: deduct, deducted, deduction, abzug, abgezogen, deduit
defect: defect, faulty, bad part, mangel, fehlerhaft, defaut, defectueux, scrap, ausschuss, reject,
    rejected, rebut
delay: delay, delayed, late, verspatung, verspatet, retard, en retard, overdue, uberfallig
delete: delete, deleted, purge, purged, geloscht, supprime, remove, removed, erased, entfernt
deliver: deliver, delivered, delivery, geliefert, lieferung, zugestellt, zustellung, livre, livraison
departure: departure, depart, leave, abreise, abfahrt, abflug, depart, abgang, sortie
deposit: deposit, kaution, einlage, depot, down payment, anzahlung, acompte
depreciate: depreciate, depreciated, depreciation, abschreibung, abgeschrieben, amortissement, book
    value, buchwert
device: device, gerat, appareil, equipment, machine, maschine, meter, zahler, compteur, sensor
discharge: discharge, discharged, entlassen, entlassung, sorti
discount: discount, rebate, rabatt, skonto, nachlass, remise, escompte, ristourne
dismantle: dismantle, dismantled, verschrottet, decommissioned, stillgelegt, out of service,
    ausser betrieb, hors service
distance: distance, km, kilometre, kilometer, mile, miles, strecke, entfernung
divide: divide, divided by, ratio, quotient, geteilt durch, divise par, share of, anteil an, part de
doctor: doctor, physician, arzt, arztin, medecin
document: document, dokument, schriftstuck, beleg, paper, slip
donor: donor, spender, donateur
dormant: dormant, inactive, inaktiv, inactif, ruhend, sleeping
drawn: drawn, utilised, utilized, in anspruch genommen, tire
driver: driver, fahrer, chauffeur, conducteur, person who drives, operator who drives
email: email, e-mail, mail address, courriel
employee: employee, staff, staff member, personnel, mitarbeiter, mitarbeiterin, beschaftigte,
    arbeitnehmer, employe, salarie, worker, workforce, belegschaft, headcount, people with a contract
end: end, ended, ende, fin, beendet, last day
energy: energy, energie, kwh, mwh, kilowatt hour
engine: engine, motor, moteur
estimate: estimate, estimated, schatzung, geschatzt, estime, forecast, prognose, prevision, expected,
    erwartet, prevu
event: event, veranstaltung, evenement
exchange rate: exchange rate, fx rate, wechselkurs, kurs des tages, taux de change
expiry: expiry, expire, expired, ablauf, abgelaufen, expiration, past expiry, lapsed, verfallen
farm: farm, agricultural holding, holding, hof, landwirtschaftlicher betrieb, exploitation
farmer: farmer, landwirt, bauer, agriculteur, agricultural operator
fee: fee, gebuhr, frais, surcharge, zuschlag
female: female, woman, women, weiblich, frau, femme
fill: fill, filled, besetzen, besetzt, pourvoir
fiscal: fiscal, financial year, geschaftsjahr, wirtschaftsjahr, exercice
flat: flat, apartment, wohnung, appartement, logement, dwelling, rental unit
fleet: fleet, flotte
flight: flight, flug, vol, flown connection
floor space: floor space, area, flache, surface, square metre, square metres, quadratmeter, qm, m2, sqm
found: founded, founding, incorporation, incorporated, grundung, gegrundet, fondation
freight: freight, shipping cost, fracht, fracht kosten, versandkosten, frais de port, postage
full time: full time, full-time, fulltime, vollzeit, temps plein, full hours
full-time equivalent: full-time equivalent, fte, vollzeitaquivalent, vzae, vza, vollzeitstelle,
    equivalent temps plein, etp
fund: fund, fonds
goods receipt: goods receipt, gr, wareneingang, reception de marchandises, receipt of goods
grain: grain, getreide, cereale
gross: gross, brutto, brut
guest: guest, gast, hote, person staying, someone who stays
half: half, halb, demi
head office: head office, headquarters, zentrale, hauptsitz, siege
heat: heat, warme, chaleur
hire: hire, hired, einstellung, eingestellt, embauche, recruited
holiday: holiday, feiertag, jour ferie, bank holiday, public holiday
holidaymaker: holidaymaker, tourist, traveller, traveler, reisende, urlauber, voyageur, vacancier
hospital: hospital, krankenhaus, klinik, hopital, clinic, ward
hour: hour, stunde, heure
household: household, haushalt, menage, family, familie, foyer
incident: incident, storung, outage, ausfall, panne, disruption, interruption
insured: insured, insured person, versicherte, assure
interest: zins, zinsen, interet
intern: intern, praktikant, stagiaire
invitation: invitation, einladung
item: line item, position, posten, order line, order item, line
job: job, position to be filled, vacancy, job opening, opening, stelle, arbeitsstelle, offene stelle,
    poste, offre d'emploi
kilogram: kilogram, kg, kilo
kitchen: kitchen, kuche
label: label, etikett, etiquette
language: language, sprache, langue
latest: latest, last, most recent, newest, letzte, neueste, dernier, derniere
lend: lend, lent, loan, kredit, darlehen, credit, pret, geliehen
letter: letter, brief, lettre
licence: licence, license, lizenz
list price: list price, catalogue price, listenpreis, katalogpreis, prix catalogue, prix de liste
litre: litre, liter
local time: local time, ortszeit, heure locale
login: login, log in, logged in, sign in, signed in, anmeldung, angemeldet, connexion
lorry: lorry, truck, heavy goods vehicle, hgv, lkw, lastwagen, camion, poids lourd
loss: loss, verlust, perte
male: male, man, men, mannlich, mann, homme
margin: margin, marge, contribution margin, deckungsbeitrag
market price: market price, market value, marktwert, marktpreis, valeur de marche, fair value
married: married, verheiratet, marie, mariee
master: master, stamm, stammdaten, maitre
maximum: maximum, max, highest, hochste, maximal, peak, spitze, pic
median: median, mediane
medicine: medicine, medicinal product, medication, drug, arzneimittel, medikament, medicament
member: member, mitglied, membre
meter reading: meter reading, reading, ablesung, zahlerstand, releve, index de compteur
midnight: midnight, mitternacht, minuit
minimum: minimum, min, lowest, niedrigste, minimal
minute: minute
moisture: moisture, feuchte, feuchtigkeit, humidite
month: month, monat, mois, monthly, monatlich, mensuel
mother: mother, mutter, mere
natural person: natural person, individual, individual person, human being, naturliche person, personne
    physique, einzelne person, single person, einzelperson
net: net, netto, hors taxe
new: new, neu, nouveau, nouvelle, first-time
night: night, nacht, nuit, room night, overnight
nominal: nominal, face value, nennwert, valeur nominale
obligation: obligation, pflicht, owe, owes, schuldet, doit, due, fallig
occupancy: occupancy, occupied, belegt, belegung, auslastung, occupe, occupation
offer: offer, quote, quotation, angebot, devis, offre
office: office, buro, bureau
online: online, web, internet, en ligne, website, web shop, browser
opening: opening balance, anfangsbestand
order: order, ordered, bestellung, auftrag, bestellt, commande, purchase order, po
organise: organise, organize, organised, organisiert, organise par
original: original, initial, erstmalig
outpatient: outpatient, ambulant, ambulatoire
outside: outside, external, extern, externe
overtime: overtime, uberstunden, mehrarbeit, heures supplementaires
owner: owner, eigentumer, besitzer, inhaber, proprietaire, holder, titulaire
pallet: pallet, palette
parent: parent company, mother company, muttergesellschaft, konzernmutter, societe mere
parental leave: parental leave, maternity leave, elternzeit, mutterschutz, conge parental
part time: part time, part-time, teilzeit, temps partiel
part: part, component, bauteil, teil, piece, composant, spare part, ersatzteil
partnership: partnership, registered partnership, verpartnert, pacs, eingetragene lebenspartnerschaft
passenger: passenger, fahrgast, passagier, passager, pax, people carried
patient: patient, patientin
pay: pay, paid, payment, bezahlt, gezahlt, zahlung, zahlungseingang, paye, paiement, settled, beglichen,
    regle, payment received, cash received
payer: payer, zahler der rechnung, payeur, debitor, rechnungsempfanger, bill-to party, bill-to, bill to,
    who pays, invoice recipient
pending: pending, outstanding, open amount, offen, en attente, en suspens, unpaid, not paid, unbezahlt,
    impaye, arrears
pension: pension, rente, retraite
percent: percent, per cent, %, prozent, pourcent, pct
permanent: permanent, unbefristet, indefinite
person: person, people, personne, personnes, leute, someone, somebody, jemand, who, wer, qui, whoever,
    party, head, heads, kopf, tete
phone: phone, telephone, telefon, mobile, handy
place: place, location, ort, standort, lieu, site, werk, plant, usine, fabrik, factory
plan: plan, planned, geplant, soll, budget, budgeted, planifie, scheduled, target
plate: plate, licence plate, number plate, kennzeichen, plaque, registration mark
policyholder: policyholder, policy holder, versicherungsnehmer, preneur d'assurance, souscripteur
population: population, inhabitant, resident, einwohner, habitant
postcode: postcode, postal code, zip, zip code, plz, postleitzahl, code postal
power: power, leistung, puissance
premium: premium, beitrag, pramie, prime, contribution, cotisation
price: price, preis, prix, tarif, tariff
procedure: procedure, verfahren, procedure
produce: produce, produced, production, made, hergestellt, herstellung, produktion, produziert,
    manufacture, manufactured, fabrique, fabrication
project: project, projekt, projet
promise: promise, promised, zugesagt, promis
property: property, immobilie, immeuble, real estate
provision: provision, ruckstellung
pupil: pupil, schuler, eleve, student, studierende, etudiant
purchase price: purchase price, cost price, einkaufspreis, einstandspreis, prix d'achat, acquisition
    cost, anschaffungskosten
purchase: purchase, purchased, buy, bought, einkauf, gekauft, achat, achete
quantity: quantity, menge, quantite, qty, volume
quarter: quarter, quartal, trimestre
reader: reader, leser, lecteur
receive: receive, received, empfangen, eingegangen, eingang, recu, receipt
rehearsal: rehearsal, probe, repetition
renovation: renovation, renovierung, sanierung, refurbishment, modernisation, umbau
rent: rent, miete, loyer
repair: repair, repaired, reparatur, rework, reworked, nacharbeit, reparation, retouche
replacement value: replacement value, wiederbeschaffungswert, valeur de remplacement
request: request, requested, ask, asked, wanted, gewunscht, demande, demandee, wunsch
residence: residence, home address, wohnort, wohnsitz, domicile, lives, wohnt, wohnhaft
responsible: responsible, in charge, zustandig, verantwortlich, competent, responsable
retire: retired, retirement, ruhestand
return: return, returned, retoure, rucksendung, retour, retourne, sent back, refund, refunded,
    erstattung, remboursement
revenue: revenue, turnover, umsatz, erlos, chiffre d'affaires, sales, sales figure, income, einnahmen,
    recettes
ride: ride, ridden, trip, travel, travelled, traveled, journey, fahrt, reise, trajet, voyage
risk: risk, risiko, risque
room: room, zimmer, chambre
route: route, linie, ligne
salary: salary, wage, gehalt, lohn, salaire, pay slip
school: school, schule, ecole
seat: seat, platz, sitzplatz, siege place
second: second, sekunde, seconde
sell: sell, sold, sale, verkauft, verkauf, vendu, vente
service: service, dienst, leistungserbringung
session: session, sitzung, visit, besuch, visite
shift: shift, schicht, poste de travail
ship: ship, shipped, shipment, dispatch, dispatched, versandt, versand, verschickt, expedie, expedition,
    left the warehouse, goods issue, warenausgang
shop: shop, store, laden, geschaft, magasin, boutique, outlet
sick: sick, krank, illness, sickness, krankheit, malade, maladie
sign: sign, signed, signature, unterschrieben, unterzeichnet, signe, schliesst, conclude, concluded,
    abgeschlossener
solve: solve, solved, fix, fixed, behoben, repare
start: start, started, begin, begins, beginn, begonnen, debut, commence, commencement
stock: stock, inventory, bestand, lagerbestand, lager, warehouse, on hand, in store, stock on hand
stop: stop, stopped, station, haltestelle, bahnhof, arret, gare
storage: storage, lagerraum, stockage
storey: storey, stockwerk, etage
street: street, strasse, rue
subscription: subscription, abo, abonnement, subscribe
subsidiary: subsidiary, tochter, tochtergesellschaft, filiale detenue
sum: sum, total, summe, gesamt, somme, added up
summer: summer, sommer, ete
supplier: supplier, vendor, lieferant, fournisseur, creditor, kreditor
tax: vat, value added tax, mwst, ust, mehrwertsteuer, umsatzsteuer, tva, tax, steuer, taxe, impot, sales
    tax
teacher: teacher, lehrer, lehrkraft, lecturer, dozent, enseignant, professeur
team: team, mannschaft, equipe
tenant: tenant, mieter, locataire, renter, rents from us
terminate: terminate, terminated, termination, gekundigt, kundigung, resilie, resiliation, notice given,
    resigned
ticket: ticket, fahrkarte, fahrschein, billet, eintrittskarte
time zone: time zone, zeitzone, fuseau
ton: tonne, ton, tonnes, t
topic: topic, subject, thema, sujet
train: train, zug
transfer: transfer, transferred, verlegung, uberweisung, transfert, relocation
treatment: treatment, behandlung, traitement, therapy
tree: tree, baum, arbre
trial: trial, test account, testphase, probezeit, essai, demo
turbine: turbine
unit: unit, einheit, unite
update: update, updated, change, changed, modified, geandert, anderung, modifie, modification, last
    touched
user: user, nutzer, benutzer, anwender, utilisateur
utc: utc, gmt, zulu, greenwich
vehicle: vehicle, fahrzeug, vehicule
vessel: vessel, boat, schiff, navire, bateau
virtual: virtual, virtuell, virtuel
visitor: visitor, besucher, visiteur
voucher: voucher, gutschein, bon, gift card
wagon: wagon, waggon, freight car, guterwagen
water: water, wasser, eau
week: week, woche, semaine
weight: weight, gewicht, poids, masse, mass
winter: winter, hiver
working day: working day, business day, workday, werktag, arbeitstag, bankarbeitstag, jour ouvre, jour
    ouvrable
year: year, jahr, annee, yearly, annual, annually, jahrlich, annuel
young: young, jung, jeune
"""

# What says nothing by itself: articles, prepositions, and verbs that carry no meaning of their own.
STOP_WORDS = words("""
a an the of to for in on at by from with and or as is are was were be been being it its this that these
those which where when who whose we our us you your they their them there has have had having do does
did will would can could may might shall should one ones per each every any some such than then so if
but also only just very more most no not non nor into over under out up off about via own same other
another both either all made make takes take taken go goes come comes get gets der die das den dem des
ein eine einer eines einem einen und oder von vom zu zum zur fur im am auf aus bei mit nach ist sind war
waren wird werden wurde hat haben als wie je pro jede jeder jedes jeden alle nur nicht kein keine keiner
ohne auch sich dass wenn man wir unser unsere uns ihr ihre sein seine le la les un une du de d l au aux
et ou en dans par pour avec sans sur sous est sont ete ont qui que ne pas chaque tout tous toute toutes
nos notre leur leurs ce cette ces se son sa ses like etc i e g eg ie so-called between during within
after before since until while wahrend zwischen seit innerhalb entre depuis pendant still want wants
""")

# What any row is about: shared, it shows no likeness.
GENERIC = words("""
person item thing record entry row value number code key id identifier identification reference unit
kind type sort set object field data customer-relevant system list table element datensatz eintrag
nummer ding sache gegenstand chose enregistrement numero einheit wert position line number_of count
calendar age date
""")

# What a party is counted as: the same term under two of these is counted differently.
PARTIES = words("""
account payer contract natural_person person household couple business place subscription user card
device branch order member owner
""")
