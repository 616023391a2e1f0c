"""What Northgate tries with AI: each initiative in the words of its people. What becomes of them is in `stories`."""

from adoption.demo.texts import Words

INITIATIVES = {
    "summary": Words(
        "Customer summary assistant", "accounts", "owner",
        "Account managers read through years of notes before they call a customer.",
        "summarise an account before a call", "account managers", 40, "Zurich and Lyon",
        "account notes and open invoices", "the CRM and the billing system", "minutes to prepare a call",
        "40", "15", "A wrong summary costs a customer time and us a contract.",
        "judge whether a customer is about to leave", "the timeline of the CRM",
        platform="Dynamics", crew="support",
    ),
    "reminders": Words(
        "Payment reminder drafts", "finance", "emil",
        "Reminders sound the same to a customer of twenty years and to a stranger.",
        "draft payment reminders in the right tone", "collections clerks", 8, "Zurich", "open invoices",
        "the ledger and the CRM", "days outstanding", "48", "41", "A good customer is insulted.",
        "stop a delivery", "the three standard letters", part="Drafting model", version="d-2",
    ),
    "rooms": Words(
        "Meeting note formatter", "hr", "lena",
        "Notes of meetings are written in nine ways, and nobody finds the decision in them.",
        "put the notes of a meeting into the house form", "team assistants", 12, "Zurich", "typed meeting notes",
        "the notes as they were typed", "minutes a note", "25", "6", "A note is formatted badly and typed again.",
        "change what was decided", "the blank form", part="Drafting model", version="d-2", tier="minimal",
    ),
    "parts": Words(
        "Spare part search", "plants", "diego",
        "The same part is stored under four names.", "find spare parts by description",
        "maintenance crews", 45, "plants 1 and 2", "the parts catalogue", "the parts catalogue and the store",
        "minutes a search", "14", "4", "The wrong part is fetched.", "order a part", "the printed catalogue",
        part="Retrieval set", version="r-6", vendor="Tessera", tier="minimal",
    ),
    "refunds": Words(
        "Refund plausibility check", "customer-service", "oona",
        "Refunds above the limit wait two weeks for somebody to look.",
        "match a refund request with orders and returns and say what does not fit", "refund clerks", 14,
        "Lisbon", "refund requests and orders", "the order history and the returns desk", "days until a refund",
        "13", "3", "Somebody honest is treated as dishonest and waits for money they need.",
        "refuse a refund", "the four-eyes check by hand", tier="high",
    ),
    "notes": Words(
        "Call note search", "accounts", "owner",
        "What a customer said three calls ago is written down and cannot be found.",
        "find the notes that answer a question, with their date", "account managers", 60, "Zurich and Vienna",
        "call notes", "the CRM and the shared call folder", "minutes until a note is found", "11", "2",
        "An old note is taken for a new one.", "find what was never written down", "the search of the CRM",
        part="Retrieval set", version="r-7", vendor="Tessera", crew="support",
    ),
    "tickets": Words(
        "Ticket triage", "customer-service", "oona",
        "Tickets wait half a day in the wrong queue.", "sort tickets into queues and mark urgent ones",
        "service agents", 75, "Lisbon", "service tickets", "the ticket system and the customer file",
        "hours in the wrong queue", "5", "1", "An urgent ticket waits.", "answer a ticket",
        "the sorting rules of the ticket system", platform="Servicehub", crew="mixed",
    ),
    "handover": Words(
        "Chat handover summary", "customer-service", "oona",
        "Customers tell their story again when a chat becomes a call.",
        "summarise a chat for the agent who takes the call", "call agents", 50, "Lisbon and Porto", "chats",
        "the chat system and the call desk", "seconds of retelling", "95", "20",
        "The summary leaves out what matters.", "say whether a customer is right", "reading the chat",
    ),
    "stops": Words(
        "Machine stop summaries", "plants", "tove",
        "Night shift and day shift describe the same stop in two ways.",
        "summarise machine stops for the morning round", "shift leads", 20, "plant 2", "machine logs",
        "the machine log and the shift book", "minutes of the morning round", "35", "15",
        "A warning sign is left out.", "stop a machine", "reading the shift book",
    ),
    "articles": Words(
        "Knowledge article drafts", "customer-service", "oona",
        "Solved tickets teach the next agent nothing.", "draft a help article from solved tickets",
        "knowledge editors", 6, "Lisbon", "solved tickets without names",
        "the ticket system and two of our four knowledge bases", "days until an article", "33", "7",
        "An article repeats a mistake.", "publish an article", "the editors' list", part="Drafting model",
        version="d-2",
    ),
    "questions": Words(
        "Store question desk", "stores", "felix",
        "Store staff ring the head office with the same forty questions.",
        "answer questions of store staff from the handbook", "store staff", 140, "eleven stores",
        "the staff handbook", "the handbook and the opening hours register", "calls a week", "310", "120",
        "Somebody follows a rule that no longer holds.", "answer questions about pay", "the telephone line",
    ),
    "renewals": Words(
        "Renewal letter drafts", "accounts", "owner",
        "Renewal letters are copied from last year's and carry last year's mistakes.",
        "draft a renewal letter from the contract and the account's history", "account managers", 25, "Zurich",
        "contracts and price lists", "the contract archive and the price list", "wrong letters a month", "19", "4",
        "A letter promises a price that we do not offer.", "calculate prices", "the letter templates",
        part="Drafting model", version="d-2", crew="support",
    ),
    "shelves": Words(
        "Shelf gap spotting", "stores", "felix",
        "Empty shelves are found when a customer asks.", "spot gaps on photographs of shelves", "store leads", 18,
        "four stores", "photographs without people", "the store cameras and the stock list", "hours a gap stays",
        "9", "2", "Somebody walks to a shelf that is full.", "recognise people", "the evening round",
        part="Vision model", version="v-3", vendor="Northlight",
    ),
    "warranty": Words(
        "Warranty reply drafts", "customer-service", "oona",
        "Two of three warranty letters are the same letter.", "draft a reply to a warranty request",
        "service agents", 30, "Lisbon", "warranty requests", "the warranty register and the parts catalogue",
        "minutes a reply", "18", "6", "A reply refuses what the law grants.", "decide about a claim",
        "the letter templates", part="Drafting model", version="d-2",
    ),
    "transcripts": Words(
        "Voice call transcripts", "customer-service", "oona",
        "What was agreed on the telephone is remembered differently.", "write down calls",
        "call agents", 10, "Lisbon", "recorded test calls", "the telephone system and the consent register",
        "disputes a month", "14", "5", "A recording is kept that nobody agreed to.", "tell voices apart",
        "handwritten notes", part="Speech model", version="s-5", vendor="Northlight",
    ),
    "cash": Words(
        "Cash forecast notes", "finance", "priya",
        "The weekly cash forecast comes without a word on why it moved.",
        "write three sentences on why the cash forecast moved", "treasurers", 5, "Zurich", "cash positions",
        "the treasury system and the ledger", "hours a week", "4", "1", "A wrong reason is believed.",
        "forecast anything itself", "no comment at all",
    ),
    "onboarding": Words(
        "Onboarding guide", "hr", "hugo",
        "New colleagues ask where things are for three weeks.", "answer questions of new colleagues",
        "new colleagues", 35, "Zurich and Lisbon", "internal guides", "the intranet and the staff handbook",
        "questions in the first week", "26", "8", "Somebody misses a deadline.", "answer questions about pay",
        "asking a colleague", crew="support",
    ),
    "shifts": Words(
        "Shift wish planner", "hr", "hugo",
        "Shift wishes arrive on paper and are granted by whoever shouts.",
        "propose a shift plan that grants as many wishes as possible", "shift leads", 12, "two sites",
        "shift wishes", "the shift plan and the absence register", "hours a plan", "9", "2",
        "Somebody always gets the night.", "decide a plan", "planning by hand",
    ),
    "repairs": Words(
        "Maintenance report drafts", "plants", "diego",
        "Reports are written on Friday about Monday.", "draft a maintenance report from spoken notes",
        "maintenance crews", 12, "plant 2", "spoken notes", "the work orders and the parts catalogue",
        "days until a report", "4", "1", "A report says that something was checked and it was not.",
        "sign a report", "the paper form", part="Speech model", version="s-5", vendor="Northlight",
    ),
    "offers": Words(
        "Offer wording check", "accounts", "owner",
        "Offers go out with clauses that legal withdrew a year ago.",
        "mark sentences in an offer that are no longer allowed", "account managers", 30, "Zurich", "offers",
        "the offer tool and the clause list", "withdrawn clauses a quarter", "27", "3",
        "A withdrawn clause binds us.", "rewrite an offer", "the check by legal", crew="support",
    ),
    "canteen": Words(
        "Canteen demand forecast", "facilities", "outsider",
        "On Fridays half of the lunch is thrown away.", "forecast how many people come to lunch",
        "the kitchen", 6, "Zurich", "lunch figures", "the canteen tills and the meeting calendar",
        "kilos thrown away a week", "130", "50", "Somebody gets no lunch.", "plan the menu", "last week's figure",
        part="Lunch model", version="f-2", vendor="", tier="minimal",
    ),
    # Ideas: what their owners register, and no more.
    "budget": Words(
        "Budget comment drafts", "finance", "priya", "Budget holders explain deviations late and in one word."
    ),
    "applicants": Words("Applicant ranking", "hr", "hugo", "Four hundred applications for one opening."),
    "docks": Words(
        "Dock waiting board", "logistics", "lena", "Drivers wait at the dock and nobody can say how long."
    ),
    "themes": Words(
        "Complaint theme finder", "accounts", "nora",
        "Complaints are read one by one, and what they have in common is seen months later.",
    ),
    "labels": Words("Price label check", "stores", "felix", "Labels and tills disagree; customers see it first."),
    "promotions": Words(
        "Promotion forecast", "stores", "felix",
        "Promotions run out on the second day or fill the store room for a month.",
    ),
    "windows": Words(
        "Delivery window forecast", "logistics", "lena", "Customers wait a day for a van that comes at five."
    ),
    "receipts": Words(
        "Expense receipt reading", "finance", "emil", "Travellers type what is printed on their receipts."
    ),
    "callbacks": Words(
        "Call-back order", "customer-service", "ben",
        "Calls wait in the order in which they came, however urgent they are.",
    ),
}  # fmt: skip
