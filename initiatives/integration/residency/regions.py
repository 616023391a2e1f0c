"""Regions known without rows: countries by ISO code, groups, regions of clouds.

A region is within itself and all regions above it. An unknown region is only within itself, and so outside every list
of allowed regions. People add `Region` rows: data centres, names of smaller clouds. The sources are ISO 3166-1 and
the region lists of AWS, Azure and Google Cloud (2026).
"""

from collections.abc import Iterable
from functools import cache

# Groups: the words for each, and the larger group that contains it.
GROUPS = {
    "EMEA": ("Europe, Middle East and Africa", ""),
    "EUROPE": ("Europe", "EMEA"),
    "EEA": ("European Economic Area", "EUROPE"),
    "EU": ("European Union", "EEA"),
    "UK": ("United Kingdom and its territories", "EUROPE"),
    "MIDDLE-EAST": ("Middle East", "EMEA"),
    "AFRICA": ("Africa", "EMEA"),
    "AMERICAS": ("Americas", ""),
    "NORTH-AMERICA": ("North America", "AMERICAS"),
    "LATAM": ("Latin America and the Caribbean", "AMERICAS"),
    "APAC": ("Asia and Pacific", ""),
    "ASIA": ("Asia", "APAC"),
    "OCEANIA": ("Oceania", "APAC"),
}
# Countries and territories by the smallest group that contains them.
COUNTRIES = {
    "EU": "AT Austria, BE Belgium, BG Bulgaria, CY Cyprus, CZ Czechia, DE Germany, DK Denmark, EE Estonia, ES Spain, "
    "FI Finland, FR France, GR Greece, HR Croatia, HU Hungary, IE Ireland, IT Italy, LT Lithuania, LU Luxembourg, "
    "LV Latvia, MT Malta, NL Netherlands, PL Poland, PT Portugal, RO Romania, SE Sweden, SI Slovenia, SK Slovakia",
    "EEA": "IS Iceland, LI Liechtenstein, NO Norway",
    "UK": "GB Great Britain and Northern Ireland, GG Guernsey, IM Isle of Man, JE Jersey, GI Gibraltar",
    "EUROPE": "AD Andorra, AL Albania, AX Aland Islands, BA Bosnia and Herzegovina, BY Belarus, CH Switzerland, "
    "FO Faroe Islands, GE Georgia, MC Monaco, MD Moldova, ME Montenegro, MK North Macedonia, RS Serbia, RU Russia, "
    "SJ Svalbard and Jan Mayen, SM San Marino, TR Turkey, UA Ukraine, VA Holy See, XK Kosovo",
    "MIDDLE-EAST": "AE United Arab Emirates, BH Bahrain, IL Israel, IQ Iraq, IR Iran, JO Jordan, KW Kuwait, "
    "LB Lebanon, OM Oman, PS Palestine, QA Qatar, SA Saudi Arabia, SY Syria, YE Yemen",
    "AFRICA": "AO Angola, BF Burkina Faso, BI Burundi, BJ Benin, BW Botswana, CD Congo (Kinshasa), "
    "CF Central African Republic, CG Congo (Brazzaville), CI Cote d'Ivoire, CM Cameroon, CV Cabo Verde, DJ Djibouti, "
    "DZ Algeria, EG Egypt, EH Western Sahara, ER Eritrea, ET Ethiopia, GA Gabon, GH Ghana, GM Gambia, GN Guinea, "
    "GQ Equatorial Guinea, GW Guinea-Bissau, KE Kenya, KM Comoros, LR Liberia, LS Lesotho, LY Libya, MA Morocco, "
    "MG Madagascar, ML Mali, MR Mauritania, MU Mauritius, MW Malawi, MZ Mozambique, NA Namibia, NE Niger, "
    "NG Nigeria, RE Reunion, RW Rwanda, SC Seychelles, SD Sudan, SH Saint Helena, SL Sierra Leone, SN Senegal, "
    "SO Somalia, SS South Sudan, ST Sao Tome and Principe, SZ Eswatini, TD Chad, TG Togo, TN Tunisia, TZ Tanzania, "
    "UG Uganda, YT Mayotte, ZA South Africa, ZM Zambia, ZW Zimbabwe",
    "NORTH-AMERICA": "BM Bermuda, CA Canada, GL Greenland, PM Saint Pierre and Miquelon, US United States",
    "LATAM": "AG Antigua and Barbuda, AI Anguilla, AR Argentina, AW Aruba, BB Barbados, BL Saint Barthelemy, "
    "BO Bolivia, BQ Caribbean Netherlands, BR Brazil, BS Bahamas, BZ Belize, CL Chile, CO Colombia, CR Costa Rica, "
    "CU Cuba, CW Curacao, DM Dominica, DO Dominican Republic, EC Ecuador, FK Falkland Islands, GD Grenada, "
    "GF French Guiana, GP Guadeloupe, GT Guatemala, GY Guyana, HN Honduras, HT Haiti, JM Jamaica, "
    "KN Saint Kitts and Nevis, KY Cayman Islands, LC Saint Lucia, MF Saint Martin, MQ Martinique, MS Montserrat, "
    "MX Mexico, NI Nicaragua, PA Panama, PE Peru, PR Puerto Rico, PY Paraguay, SR Suriname, SV El Salvador, "
    "SX Sint Maarten, TC Turks and Caicos Islands, TT Trinidad and Tobago, UY Uruguay, "
    "VC Saint Vincent and the Grenadines, VE Venezuela, VG British Virgin Islands, VI Virgin Islands of the US",
    "ASIA": "AF Afghanistan, AM Armenia, AZ Azerbaijan, BD Bangladesh, BN Brunei, BT Bhutan, CN China, "
    "HK Hong Kong, ID Indonesia, IN India, JP Japan, KG Kyrgyzstan, KH Cambodia, KP North Korea, KR South Korea, "
    "KZ Kazakhstan, LA Laos, LK Sri Lanka, MM Myanmar, MN Mongolia, MO Macao, MV Maldives, MY Malaysia, NP Nepal, "
    "PH Philippines, PK Pakistan, SG Singapore, TH Thailand, TJ Tajikistan, TL Timor-Leste, TM Turkmenistan, "
    "TW Taiwan, UZ Uzbekistan, VN Vietnam",
    "OCEANIA": "AS American Samoa, AU Australia, CK Cook Islands, FJ Fiji, FM Micronesia, GU Guam, KI Kiribati, "
    "MH Marshall Islands, MP Northern Mariana Islands, NC New Caledonia, NF Norfolk Island, NR Nauru, NU Niue, "
    "NZ New Zealand, PF French Polynesia, PG Papua New Guinea, PW Palau, SB Solomon Islands, TK Tokelau, TO Tonga, "
    "TV Tuvalu, VU Vanuatu, WF Wallis and Futuna, WS Samoa",
}
# The names of cloud regions, by place. A name without a number promises its country or group alone.
CLOUDS = {
    "AWS": {
        "US": "us-east-1 us-east-2 us-west-1 us-west-2 us-gov-east-1 us-gov-west-1",
        "CA": "ca-central-1 ca-west-1",
        "MX": "mx-central-1",
        "BR": "sa-east-1",
        "IE": "eu-west-1",
        "GB": "eu-west-2",
        "FR": "eu-west-3",
        "DE": "eu-central-1 eusc-de-east-1",
        "CH": "eu-central-2",
        "SE": "eu-north-1",
        "IT": "eu-south-1",
        "ES": "eu-south-2",
        "ZA": "af-south-1",
        "BH": "me-south-1",
        "AE": "me-central-1",
        "IL": "il-central-1",
        "HK": "ap-east-1",
        "TW": "ap-east-2",
        "IN": "ap-south-1 ap-south-2",
        "SG": "ap-southeast-1",
        "AU": "ap-southeast-2 ap-southeast-4",
        "ID": "ap-southeast-3",
        "MY": "ap-southeast-5",
        "NZ": "ap-southeast-6",
        "TH": "ap-southeast-7",
        "JP": "ap-northeast-1 ap-northeast-3",
        "KR": "ap-northeast-2",
        "CN": "cn-north-1 cn-northwest-1",
    },
    "Azure": {
        "NL": "westeurope",
        "IE": "northeurope",
        "GB": "uksouth ukwest",
        "FR": "francecentral francesouth",
        "DE": "germanywestcentral germanynorth",
        "CH": "switzerlandnorth switzerlandwest",
        "NO": "norwayeast norwaywest",
        "SE": "swedencentral swedensouth",
        "PL": "polandcentral",
        "IT": "italynorth",
        "ES": "spaincentral",
        "AT": "austriaeast",
        "US": "eastus eastus2 centralus northcentralus southcentralus westcentralus westus westus2 westus3 "
        "usgovvirginia usgovtexas usgovarizona",
        "CA": "canadacentral canadaeast",
        "MX": "mexicocentral",
        "CL": "chilecentral",
        "BR": "brazilsouth brazilsoutheast",
        "ZA": "southafricanorth southafricawest",
        "AE": "uaenorth uaecentral",
        "QA": "qatarcentral",
        "IL": "israelcentral",
        "HK": "eastasia",
        "SG": "southeastasia",
        "ID": "indonesiacentral",
        "MY": "malaysiawest",
        "AU": "australiaeast australiasoutheast australiacentral australiacentral2",
        "NZ": "newzealandnorth",
        "IN": "centralindia southindia westindia jioindiawest jioindiacentral",
        "JP": "japaneast japanwest",
        "KR": "koreacentral koreasouth",
        "CN": "chinaeast chinaeast2 chinaeast3 chinanorth chinanorth2 chinanorth3",
    },
    "Google Cloud": {
        "BE": "europe-west1",
        "GB": "europe-west2",
        "DE": "europe-west3 europe-west10",
        "NL": "europe-west4",
        "CH": "europe-west6",
        "IT": "europe-west8 europe-west12",
        "FR": "europe-west9",
        "FI": "europe-north1",
        "SE": "europe-north2",
        "PL": "europe-central2",
        "ES": "europe-southwest1",
        "US": "us-central1 us-east1 us-east4 us-east5 us-south1 us-west1 us-west2 us-west3 us-west4",
        "CA": "northamerica-northeast1 northamerica-northeast2",
        "MX": "northamerica-south1",
        "BR": "southamerica-east1",
        "CL": "southamerica-west1",
        "ZA": "africa-south1",
        "QA": "me-central1",
        "SA": "me-central2",
        "IL": "me-west1",
        "TW": "asia-east1",
        "HK": "asia-east2",
        "JP": "asia-northeast1 asia-northeast2",
        "KR": "asia-northeast3",
        "IN": "asia-south1 asia-south2",
        "SG": "asia-southeast1",
        "ID": "asia-southeast2",
        "AU": "australia-southeast1 australia-southeast2",
    },
    "some clouds": {
        "EU": "eu-west eu-central eu-north eu-south eu-east",
        "US": "us-east us-west us-central us-north us-south usa",
        "CA": "ca-central",
        "GB": "uk-south uk-west",
        "CH": "ch-north ch-west",
        "APAC": "ap-south ap-southeast ap-northeast ap-east",
    },
}


def key_of(name: str) -> str:
    """Return the key of a region name, without regard to case and surrounding space."""
    return name.strip().lower()


@cache
def known() -> dict[str, tuple[str, str, str]]:
    """Return every known region by key: its name, its words, and the key above it."""
    found = {key_of(name): (name, words, key_of(within)) for name, (words, within) in GROUPS.items()}
    for within, listed in COUNTRIES.items():
        for one in listed.split(", "):
            code, _, words = one.partition(" ")
            found[key_of(code)] = (code, words, key_of(within))
    for cloud, places in CLOUDS.items():
        for within, names in places.items():
            for name in names.split():
                found.setdefault(key_of(name), (name, f"{within}, as {cloud} calls it", key_of(within)))
    return found


def above(name: str, added: Iterable[tuple[str, str]] = ()) -> list[str]:
    """Return the keys of a region and of all above it, the smallest first.

    An unknown region is only within itself. `added`: the regions that people added, each with the name of the one
    above.
    """
    parents = {key: within for key, (_, _, within) in known().items()}
    parents |= {key_of(key): key_of(within) for key, within in added if key_of(key) not in parents}
    chain, key = [], key_of(name)
    while key and key not in chain:
        chain.append(key)
        key = parents.get(key, "")
    return chain
