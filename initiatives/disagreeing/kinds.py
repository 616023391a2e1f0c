"""Kinds of things, which of them can be one thing seen from two sides, and the fields of life a word belongs to.

Words are resolved as everywhere (lexicon.py); a word that is not here is of no known kind, and of such nothing is
concluded.
"""

# What a word at the head of a meaning stands for.
KINDS = """
person: person adult apprentice borrower child couple customer doctor donor driver employee farmer
    female guest holidaymaker insured intern male member mother natural_person owner passenger patient
    payer policyholder pupil reader tenant user visitor agency_worker nurse agent seller buyer manager
    actor singer player soldier lawyer judge author editor artist citizen debtor guarantor lender
    lessor lessee applicant candidate colleague operator worker clerk midwife pilot captain cook waiter
    friend relative father widow trainer coach inspector auditor officer politician voter
    spectator listener viewer researcher scientist beneficiary recipient sender messenger courier
    pensioner prisoner refugee pharmacist surgeon dentist subscriber contractor
party: household supplier business authority carrier bank partner club association company team crew
    orchestra union foundation university ministry insurer broker dealer wholesaler retailer airline
population: population herd
place: harbour pitch berth place building flat city country address branch room shop office street storey area court
    school hospital head_office farm stop port quay airport bridge tunnel field meadow forest garden
    park region district zone side river lake coast mountain valley island theatre museum stadium
    church cemetery yard dock square kitchen laboratory cellar slope bay
money: amount price cost fee rent premium salary revenue interest deposit discount tax cash capital
    margin fine profit budget turnover grant subsidy
time: day week month quarter hour minute second time working_day calendar_day period deadline
    duration moment season
document: document letter bill offer ticket voucher label card certificate report form book
    journal newspaper slip receipt_slip diploma passport permit invoice
    proof manuscript
agreement: contract claim case order booking licence subscription lend matter lawsuit complaint
event: event session ride flight treatment repair check shift concert rehearsal call lecture course
    meeting outage incident accident operation delivery visit game match race exam lesson stay trip
    transfer movement injection birth death wedding departure arrival festival performance
meal: meal dish food drink menu soup dessert cake bread meat cheese beer wine
medicine: medicine vaccine drug tablet dose pill serum ointment syringe
vehicle: aircraft bus car lorry train vessel wagon vehicle tram bicycle motorcycle ship tractor tank_car
    ambulance boat
machine: engine turbine device tool pump press robot printer computer server crane
receptacle: bowl vase compartment drawer box container bottle jar barrel pallet basket bag sack can
material: metal cable wire steel wood glass concrete chemical substance powder oil gas water fabric
    stone sand milk liquid core rubber plastic cement fertiliser detergent
living: bird mouse cat animal tree shrub flower cow pig horse dog virus bacterium seed grain fish
body: heart heartbeat beat pulse blood bone tooth organ tissue limb muscle skin lung
measure: percent share rate ratio speed temperature pressure humidity weight length density height
    frequency intensity
software: software program application instance installation database website
    interface script image_file
topic: topic language subject genre
lot: batch
mark: mark score rank sort
image: picture film photograph scene painting
"""

# Two kinds that often name one thing, seen from two sides: what they are called says nothing against them.
ALIKE = """
lot material
lot medicine
lot meal
lot living
lot event
lot measure
lot receptacle
lot vehicle
person party
person population
party place
party agreement
document agreement
document event
document money
document measure
document topic
event agreement
event time
event place
event measure
money agreement
money measure
money time
measure time
receptacle machine
receptacle vehicle
machine vehicle
machine software
material medicine
material meal
material living
meal living
living body
body measure
topic mark
measure mark
image event
image document
software document
image software
place receptacle
place machine
population party
population measure
person agreement
event medicine
event machine
place agreement
place living
event material
medicine receptacle
material receptacle
"""

# Fields of life: two meanings that lie wholly in two of these are of two things, whatever their kind.
FIELDS = """
teaching: lecture course pupil teacher school enrol exam lesson university semester diploma
    seminar curriculum campus teach
food: meal dish food drink menu milk kitchen restaurant cook waiter soup dessert cheese
    beer wine dairy
war: soldier army armour armoured weapon military battle regiment
medicine: patient doctor hospital heart heartbeat pulse disease vaccine dose medicine treatment nurse
    surgeon virus infection blood therapy injection diagnosis
law: court judge lawsuit lawyer prosecutor verdict hearing
print: printer print ink copier
software: software program computer server cloud installation instance database website browser
lending: lend borrower bank interest mortgage collateral debtor
music: concert orchestra singer music choir song symphony opera
film: film scene cinema actor camera footage
sport: sport match goal player stadium coach league race referee tournament
nature: river lake sea mountain valley
rail: train wagon locomotive railway tram
electricity: cable wire voltage transformer circuit
auction: auction hammer bidder
parking: parking garage
"""
