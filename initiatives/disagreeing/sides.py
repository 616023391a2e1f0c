"""Questions that have two sides or more: what takes one side does not mean what takes the other means.

Under each question its sides, with the phrases that take them, in three languages.
"""

SIDES = """
what of a web site is counted
  people: unique visitors, unique visitor, unique users, distinct users, visitors, besucher, visiteurs,
      eindeutige besucher
  visits: sessions, visits, besuche, visites
  pages: page views, page impressions, pageviews, seitenaufrufe, pages vues, hits, clicks, klicks
which party
  payer: payer, bill-to, bill to, bill-to party, invoice recipient, rechnungsempfanger, payeur
  receiver: ship-to, ship to, ship-to party, warenempfanger, consignee, goods recipient, destinataire
  orderer: sold-to, sold to, sold-to party, ordering party, auftraggeber, donneur d'ordre
which part of the world
  home: domestic only, domestic, inland, inlandisch, national, home market
  world: worldwide, world wide, global, globally, weltweit, all countries, mondial, in- und ausland,
      domestic and foreign, home and abroad
one company or the group
  group: consolidated, konsolidiert, consolide, group level, konzernweit, whole group
  one: unconsolidated, stand-alone, standalone, single entity, individual accounts, einzelabschluss,
      nicht konsolidiert, comptes sociaux
each once or each time
  once: unique, distinct, each only once, counted once, only once, nur einmal, ohne mehrfachzahlung,
      deduplicated, without duplicates, ohne dubletten, une seule fois, sans doublons
  each time: counts again, counted again, each time, every time, multiple times, mehrfach, jedes mal,
      chaque fois, repeat visits included, with duplicates, plusieurs fois
which unit of time
  minutes: in minutes, in minuten, en minutes
  hours: in hours, in stunden, en heures
  days: in days, in tagen, en jours
  weeks: in weeks, in wochen, en semaines
  months: in months, in monaten, en mois
which volume
  litres: litres, liters, litre, liter, litern, hectolitres
  cubic metres: cubic metres, cubic meters, m3, kubikmeter, metres cubes
  gallons: gallons, gallon
  barrels: barrels, bbl
which energy
  kilowatt hours: kwh, kilowatt hours, kilowattstunden
  megawatt hours: mwh, megawatt hours, megawattstunden
  joules: gj, mj, joules, gigajoule
start or end of the period
  start: beginning of the month, start of the month, first of the month, monatsanfang, monatsbeginn,
      debut de mois, opening balance, beginning of the year, start of the year, jahresanfang, at opening
  end: month end, end of month, end of the month, last day of the month, monatsende, fin de mois, fin du
      mois, closing balance, year end, end of the year, jahresende, fin d'annee
tax and the like in it
  net: net, netto, hors taxe, before tax, before vat, excluding vat, excl vat, ex vat, without vat, ohne
      mwst, ohne ust, hors tva, ht
  gross: gross, brutto, brut, including vat, incl vat, with vat, inkl mwst, mit mwst, tva comprise,
      toutes taxes comprises, ttc
which year
  calendar: calendar year, kalenderjahr, annee civile, january to december, 1 january to 31 december,
      jan to dec, january december, januar bis dezember, janvier a decembre
  fiscal: fiscal year, financial year, business year, geschaftsjahr, wirtschaftsjahr, exercice, april to
      march, july to june, october to september, october september, april march, july june
which days
  working: working day, business day, workday, werktag, arbeitstag, bankarbeitstag, jour ouvre, jour
      ouvrable, excluding weekends and public holidays, without weekends and holidays, excluding weekends,
      without weekends, weekends excluded, ohne wochenenden, ohne wochenende, monday to friday, montag bis
      freitag, hors week ends
  calendar: calendar day, kalendertag, jour calendaire, every day of the week, weekends included, incl
      weekends
planned or actual
  planned: target hours, contractual hours, sollstunden, planned, scheduled, geplant, plan, soll,
      budgeted, budget, prevu, planifie, forecast, expected, prognose, estimated
  actual: hours worked, worked hours, realised, realized, ist stunden, iststunden, actual, actually,
      tatsachlich, reel, effectif, measured, gemessen, real
which moment
  ordered: ordered, order date, at order, order entry, on order, bestellt, bestelldatum, bei bestellung,
      auftragseingang, commande, date de commande, at booking, booking date, when booked
  signed: contract is signed, signature, signed, unterschrift, unterzeichnet, signe, a la signature
  shipped: shipped, dispatched, shipment date, at shipment, on dispatch, versandt, versanddatum, bei
      versand, warenausgang, expedie, goods issue, leaves the warehouse, left the warehouse
  delivered: delivered, on delivery, delivery date, at delivery, geliefert, zugestellt, bei lieferung,
      livre, a la livraison, proof of delivery, goods receipt at customer
  invoiced: invoiced, billed, invoice date, on invoice, at invoice, at invoicing, rechnungsdatum,
      fakturiert, bei rechnung, facture, date de facture, billing date
  paid: paid, at payment, payment date, when paid, payment received, on payment, cash received, bezahlt,
      zahlungseingang, bei zahlung, paye, encaisse, a l'encaissement, down payment
  promised: promise, promised, zugesagt, confirmed date, bestatigt, promis
  requested: requested, customer asked for, asked for, wanted, gewunscht, wunschtermin, souhaite,
      demandee
heads or full time
  heads: headcount, heads, kopfe, kopfzahl, number of people, tetes, effectif en personnes, per head,
      jede person, every person counts as one
  full time: fte, full-time equivalent, full time equivalent, vollzeitaquivalent, vza, equivalent temps
      plein, etp, part-timers pro rata, weighted by hours
what it is valued at
  purchase: purchase price, cost price, acquisition cost, einkaufspreis, einstandspreis,
      anschaffungskosten, prix d'achat, historical cost, at cost
  market: market price, market value, marktwert, fair value, valeur de marche, mark to market
  book: book value, buchwert, valeur comptable, depreciated
  list: list price, listenpreis, sales price, verkaufspreis, prix de vente, prix catalogue, retail price
  nominal: nominal, face value, nennwert, valeur nominale
  replacement: replacement value, replacement cost, wiederbeschaffungswert
how it is summed up
  average: average, mean, durchschnitt, mittelwert, moyenne
  median: median, mediane
  maximum: maximum, highest, peak, hochste, spitzenwert
  minimum: minimum, lowest, niedrigste
  closing: end of month, month end, monatsende, fin de mois, end of day, end of period, on 31 december,
      year end, key day, stichtag
  sum: sum over, total of, summe, somme, cumulative
at one moment or over a time
  at one moment: at month end, at the end of the month, at end of month, at year end, at period end, on
      the key day, key day, stichtag, zum stichtag, zum monatsende, as of, on the last day, at midnight, a
      la fin du mois, fin de mois, snapshot
  over a time: during the month, during the year, during, within the month, in the month, wahrend, im
      laufe, pendant, au cours, over the month, over the year, over the period, for more than, for at
      least, for longer than, seit mehr als, langer als, depuis plus de
in or out of the house
  inpatient: inpatient, stationar, hospitalise, overnight patients
  outpatient: outpatient, ambulant, ambulatoire, day patients
coming or going
  coming: admission, admitted, aufnahme, arrival, ankunft, anreise, hired, joined, eintritt, inbound,
      incoming, eingehend, entrant, check in
  going: discharge, discharged, entlassung, departure, abreise, left, leaver, austritt, outbound,
      outgoing, ausgehend, sortant, check out
bought or used
  sold: sold, sale, verkauft, vendu, issued
  used: used, boarded, boarding, consumed, redeemed, eingelost, utilise, validated, taken up, flown,
      scanned at the gate
first or last
  first: first, earliest, erste, erster, fruheste, premier, premiere, initial
  last: last, latest, most recent, letzte, neueste, dernier, derniere
opened or closed
  opened: date of receipt, receipt, eingang, reception, created, opened, creation date, opening date,
      erfasst, angelegt, eroffnet, cree, ouvert, registered, received, logged, reported, gemeldet
  closed: date of decision, decision, decided, entscheidung, bescheid, closed, closing date, resolved,
      completed, geschlossen, abgeschlossen, gelost, erledigt, cloture, resolu, termine, discharge date
which clock
  utc: utc, gmt, zulu
  local: local time, ortszeit, lokalzeit, heure locale, cet, cest, mez, mesz, wall clock
which weekday is first
  monday: monday first, monday to sunday, montag bis sonntag, lundi a dimanche, iso week, week starts on
      monday, montag, lundi
  sunday: sunday first, sunday to saturday, sonntag bis samstag, dimanche a samedi, week starts on
      sunday, us week, sonntag, dimanche
where people belong
  home: residence, home address, wohnort, wohnsitz, domicile, lives in, place of residence
  work: workplace, place of work, arbeitsort, lieu de travail, works in
  birth: place of birth, geburtsort, lieu de naissance
which weight
  tonnes: t, tonnes, metric tons, in tonnes, in t, tonnen
  kilograms: kilograms, kg, in kg, kilogramm, kilogrammes
  grams: grams, gramm, grammes
  pounds: pounds, lbs, lb, pfund
which length
  kilometres: kilometres, kilometers, km, kilometer
  miles: miles, mi, nautical miles
  metres: metres, meters
  feet: feet, ft
which money
  euro: euro, eur, euros, in eur
  dollar: dollar, usd, us dollar, dollars
  cent: cents, in cents, cent
  pound: gbp, pound sterling
  franc: chf, francs, franken
  mark: dem, deutsche mark, d mark
  old currency: frf, itl, ats, nlg, esp, lire, schilling, gulden, peseten
  crown: sek, nok, dkk, czk, kronor, kronen
  zloty: pln, zloty
  yen: jpy, yen
  yuan: cny, rmb, yuan
  transaction: transaction currency, document currency, belegwahrung, original currency
  group: group currency, house currency, hauswahrung, konzernwahrung, reporting currency
scale
  thousands: thousands, in thousands, thousand, teur, keur, k eur, tausend, milliers
  millions: millions, in millions, million, mio, millionen, meur
which temperature
  celsius: celsius, degrees c
  fahrenheit: fahrenheit, degrees f
  kelvin: kelvin
with or without zero
  left out: zeros excluded, null ignored
  counted: zeros included, null counted as zero
who decides about age
  school: school year, schuljahr, annee scolaire
  civil: calendar year of birth
by what it is grouped
  by order: by order, je auftrag
  by line: by line, by order line, per line, per order line, je position, par ligne
stays or goes
  kept: stay in, stays in, kept, remain, remains, bleiben, bleibt, conserve, retained, still listed
  dropped: purged, deleted, removed, dropped, geloscht, entfernt, supprime, left out, taken out
gross or net of returns
  before: before returns, before rework, before discounts, before deductions, before depreciation, vor
      abzug, avant deduction, before adjustment, unadjusted, raw
  after: after returns, after rework, net of returns, after discounts, after deductions, net of
      discounts, nach abzug, apres deduction, after depreciation, adjusted, bereinigt, seasonally adjusted
"""
