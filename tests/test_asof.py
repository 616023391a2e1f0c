import time
from datetime import UTC, datetime, timedelta
import pytest
from adoption.demo import life
from governance import clock, seals
from tests import factories
pytestmark = pytest.mark.django_db(transaction=True)

def test_time(db, as_):
    t=time.time()
    with clock.simulated(datetime(2024,1,10,9,tzinfo=UTC)):
        cast=factories.make_cast()
    print("cast",time.time()-t); t=time.time()
    with clock.simulated(datetime(2024,2,10,9,tzinfo=UTC)):
        case=factories.make_case(cast)
    with clock.simulated(datetime(2024,3,10,9,tzinfo=UTC)):
        life.to_prototype(case, cast.team)
    print("proto",time.time()-t); t=time.time()
    with clock.simulated(datetime(2024,4,10,9,tzinfo=UTC)):
        life.to_mvp(life.fresh(case), cast.team)
    print("mvp",time.time()-t); t=time.time()
    print(seals.seal())
    print("seal",time.time()-t); t=time.time()
    for who in ("auditor","owner","chair","lead","outsider","admin"):
        c=as_(getattr(cast,who))
        for page in ("", "checklist/","checklist/mvp.workflow/","contract/","history/","evidence/","people/","running/"):
            for d in ("2024-02-11","2024-03-15","2024-04-10T09:00"):
                t=time.time()
                r=c.get(f"/cases/{case.ref}/{page}?as_of={d}")
                print(who,page,d,r.status_code, round(time.time()-t,3))
    c=as_(cast.auditor)
    open("/tmp/page.html","w").write(c.get(f"/cases/{case.ref}/?as_of=2024-03-15").content.decode())
    for q in ("?as_of=2024-03-15","?as_of=2024-03-15&view=board","?as_of=2023-03-15","?as_of=2224-03-15","?as_of=x"):
        print(q, c.get("/cases/"+q).status_code)
    open("/tmp/port.html","w").write(c.get("/cases/?as_of=2024-03-15").content.decode())
    print(c.get("/reviews/?as_of=2024-03-15").status_code, c.post(f"/cases/{case.ref}/?as_of=2024-03-15").status_code)
    r=c.get(f"/cases/{case.ref}/compare/?one=2024-03-15&other=2024-04-10T08:00")
    print(r.status_code)
    open("/tmp/cmp.html","w").write(r.content.decode())
