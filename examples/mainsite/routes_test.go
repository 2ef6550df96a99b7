package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/ospabpanel/ospabpaneltest"
	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
	"github.com/hvpanels/hvpanels/virtfusion"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

func TestAnOrderIsAcceptedInMillisecondsAndBecomesAServerWithARecord(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, r *rig) {
		r.begin()
		a := r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
		assert.JSONEq(t, `{"key": "order-1", "status": "/vps/order-1", "events": "/vps/order-1/events"}`, string(a.body))
		assert.Equal(t, "/vps/order-1", a.header.Get("Location"))
		assert.Equal(t, "application/json", a.header.Get("Content-Type"))

		d := r.until("order-1", asDesired)
		servers, records := r.vf.Servers(), r.ospab.Records()
		require.Len(t, servers, 1)
		require.Len(t, records, 1)
		assert.Equal(t, "order-1", servers[0].Name)
		assert.True(t, servers[0].Running)
		assert.Equal(t, []any{"order-1", "running", int64(5), int64(2048), int64(40), int64(2), "Debian 12"},
			[]any{records[0].Name, records[0].Status, records[0].UserID, records[0].MemoryMB, records[0].DiskGB, records[0].CPUCores, records[0].OS})
		assert.Equal(t, serviceDocument{
			Key: "order-1", Customer: "123", Hostname: "order-1.example.com", Desired: engine.Present, AsDesired: true, State: engine.Ready, PasswordWaits: true,
			Server: d.Server, Record: &recordDoc{ID: "1", State: engine.Ready, Status: provisioning.RecordRunning},
		}, d)
		assert.Equal(t, provisioning.StateOnline, d.Server.State)
		assert.Equal(t, provisioning.Some(2*provisioning.GiB), d.Server.Memory)
		assert.Len(t, d.Server.Addresses, 2)
	})
}

func TestOrdersAreAcceptedWhileNoPanelAnswers(t *testing.T) {
	t.Parallel()
	r := newSite(t)
	r.vf.Inject(provisioningtest.Fault{Do: provisioningtest.Hang, Times: -1})
	r.ospab.Inject(provisioningtest.Fault{Do: provisioningtest.Hang, Times: -1})
	var took []time.Duration
	for i := range 20 {
		began := time.Now()
		r.want(http.StatusAccepted, "POST", "/vps", orderOf(fmt.Sprintf("order-%d", i), "123"))
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	t.Logf("20 orders: accepted in %v at best, half of them within %v, all within %v", took[0], took[10], took[19])
	assert.Less(t, took[0], 500*time.Millisecond) // the best of them, because the machine may be busy
	assert.Empty(t, r.vf.Servers())
	eventually(t, "the engine asks the panel", func() bool { return len(r.vf.Requests()) > 0 })
	r.vf.Close() // lets go of what hangs
	r.ospab.Faults().Clear()
}

func TestABadOrderIsRefusedByField(t *testing.T) {
	t.Parallel()
	r := newSite(t)
	with := func(field, value string) string {
		return strings.Replace(orderOf("order-1", "123"), "{", fmt.Sprintf("{%q: %s, ", field, value), 1)
	}
	instead := func(old, by string) string {
		body := strings.Replace(orderOf("order-1", "123"), old, by, 1)
		require.NotEqual(t, orderOf("order-1", "123"), body)
		return body
	}
	for name, c := range map[string]struct{ body, field, message string }{
		"no JSON":                       {`order`, "body", "the JSON is wrong: invalid character 'o'"},
		"an array":                      {`[]`, "body", "must be a JSON object"},
		"null":                          {`null`, "body", "must be a JSON object"},
		"nothing":                       {``, "body", "the JSON ends too early"},
		"half an object":                {`{"key": "order-1"`, "body", "the JSON ends too early"},
		"two objects":                   {orderOf("order-1", "123") + "{}", "body", "something follows after the end of the JSON"},
		"a field twice":                 {with("Customer", `"124"`), "customer", "is there twice"},
		"a field without a name":        {with("", "1"), "body", "a field has no name"},
		"far too much":                  {`{"hostname": "` + strings.Repeat("a", maxBody) + `"}`, "body", "must be at most 65536 bytes"},
		"no key":                        {instead(`"key": "order-1", `, ""), "key", "must be 1 to 40 characters"},
		"a key in capitals":             {instead("order-1", "ORDER"), "key", "must be 1 to 40 characters"},
		"no customer":                   {instead(`"customer": "123", `, ""), "customer", "is missing"},
		"an unknown customer":           {instead("123", "999"), "customer", "is not known"},
		"a customer as a number":        {instead(`"123"`, "123"), "customer", "must be a string, and not the JSON number"},
		"the panel's id of a customer":  {with("user_id", "5"), "user_id", "there is no such field"},
		"no hostname":                   {instead(`"hostname": "order-1.example.com", `, ""), "hostname", "is missing"},
		"a hostname with a space":       {instead("order-1.example", "order 1.example"), "hostname", "must be labels"},
		"no plan":                       {instead(`"plan": "2", `, ""), "plan", "is missing"},
		"a plan by name":                {instead(`"plan": "2"`, `"plan": "VPS M"`), "plan", `"VPS M" is not an id of this panel`},
		"an image by name":              {instead(`"image": "23"`, `"image": "Debian"`), "image", `"Debian" is not an id of this panel`},
		"a location by name":            {instead(`"location": "61"`, `"location": "Amsterdam"`), "location", `"Amsterdam" is not an id of this panel`},
		"no operating system":           {instead(`"os": "Debian 12", `, ""), "os", "is missing"},
		"too long an operating system":  {instead("Debian 12", strings.Repeat("é", 101)), "os", "must be at most 100 characters"},
		"memory without a unit":         {with("memory", "8"), "memory", `must be a size with its unit such as "2GiB", and not the JSON number`},
		"memory as the manual calls it": {with("ram", "8"), "ram", "there is no such field"},
		"memory that is no size":        {with("memory", `"much"`), "memory", `"much" is not a size`},
		"memory of no whole MB":         {with("memory", `"1500KiB"`), "memory", "must be a whole number of 1MiB"},
		"no memory at all":              {with("memory", `"0B"`), "memory", "must be above zero"},
		"a disk of no whole GB":         {with("disk", `"1500MiB"`), "disk", "1500MiB is not a whole number of GB"},
		"cores as text":                 {with("vcpus", `"2"`), "vcpus", "must be a whole number, and not the JSON string"},
		"five addresses":                {with("ipv4", "5"), "ipv4", "must be 0 to 4"},
		"an SSH key of two lines":       {with("sshKeys", `["ssh-ed25519\nAAAA"]`), "sshKeys", "each must be one line"},
	} {
		t.Run(name, func(t *testing.T) {
			e := r.refused(http.StatusBadRequest, "POST", "/vps", c.body).Error
			assert.Equal(t, provisioning.Invalid, e.Kind)
			assert.Equal(t, c.field, e.Field)
			assert.Contains(t, e.Message, c.field+": "+c.message)
		})
	}
	assert.JSONEq(t, `{"services": []}`, string(r.want(http.StatusOK, "GET", "/vps", "").body), "nothing was stored")
	assert.Empty(t, r.vf.Requests(), "no panel was asked")
}

func TestTheSameOrderAgainIsTheSameServer(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, r *rig) {
		r.begin()
		first := r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
		again := r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
		assert.Equal(t, string(first.body), string(again.body))
		r.until("order-1", asDesired)

		other := strings.Replace(orderOf("order-1", "123"), "Debian 12", "Debian 13", 1)
		e := r.refused(http.StatusConflict, "POST", "/vps", other).Error
		assert.Equal(t, "order-1 is the key of another order", e.Message)

		r.want(http.StatusAccepted, "POST", "/vps/order-1/suspend", "")
		r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
		assert.Equal(t, engine.Suspended, r.until("order-1", asDesired).Desired, "ordering again does not lift a suspension")

		r.want(http.StatusAccepted, "DELETE", "/vps/order-1", "")
		e = r.refused(http.StatusConflict, "POST", "/vps", orderOf("order-1", "123")).Error
		assert.Equal(t, "the server of order-1 was deleted; its key is never used again", e.Message)
		r.until("order-1", asDesired)
		assert.Equal(t, 1, r.vf.Count("createServer"))
	})
}

func TestADeletedVPSIsGoneFromBothPanels(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, r *rig) {
		r.begin()
		r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
		r.until("order-1", asDesired)
		a := r.want(http.StatusAccepted, "DELETE", "/vps/order-1", "")
		assert.Contains(t, string(a.body), `"status":"/vps/order-1"`)
		r.want(http.StatusAccepted, "DELETE", "/vps/order-1", "")
		d := r.until("order-1", asDesired)
		assert.Equal(t, engine.Gone, d.State)
		assert.Nil(t, d.Server)
		assert.Equal(t, &recordDoc{ID: "1", State: engine.Gone}, d.Record)
		assert.False(t, r.vf.Servers()[0].DeletedAt.IsZero())
		assert.Empty(t, r.ospab.Records())
		assert.Equal(t, 1, r.vf.Count("deleteServer"))
		e := r.refused(http.StatusConflict, "POST", "/vps/order-1/unsuspend", "").Error
		assert.Contains(t, e.Message, "absent, which is final")
	})
}

func TestWhatIsOrderedAndDeletedAtOnceLeavesNothing(t *testing.T) {
	t.Parallel()
	r := newSite(t)
	r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
	r.want(http.StatusAccepted, "DELETE", "/vps/order-1", "")
	r.until("order-1", asDesired)
	assert.Empty(t, r.ospab.Records())
	for _, s := range r.vf.Servers() {
		assert.False(t, s.DeletedAt.IsZero())
	}
}

func TestWhoDoesNotPayIsSuspendedOnBothPanels(t *testing.T) {
	t.Parallel()
	r := newSite(t)
	r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
	r.until("order-1", asDesired)
	r.want(http.StatusAccepted, "POST", "/vps/order-1/suspend", "")
	d := r.until("order-1", func(d serviceDocument) bool { return d.AsDesired && d.Server.State == provisioning.StateSuspended })
	assert.Equal(t, provisioning.RecordSuspended, d.Record.Status)
	assert.True(t, r.vf.Servers()[0].Suspended)
	assert.Equal(t, "suspended", r.ospab.Records()[0].Status)

	r.want(http.StatusAccepted, "POST", "/vps/order-1/unsuspend", "")
	r.until("order-1", func(d serviceDocument) bool { return d.AsDesired && d.Server.State != provisioning.StateSuspended })
	assert.False(t, r.vf.Servers()[0].Suspended)
}

func TestThePasswordIsToldOnce(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, r *rig) {
		r.begin()
		r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
		r.until("order-1", asDesired)
		a := r.want(http.StatusOK, "POST", "/vps/order-1/password", "")
		assert.Equal(t, r.vf.Servers()[0].RootPassword, decode[passwordDocument](t, a).Password)
		assert.Equal(t, "no-store", a.header.Get("Cache-Control"))
		e := r.refused(http.StatusNotFound, "POST", "/vps/order-1/password", "").Error
		assert.Equal(t, "no password waits for order-1; reset it", e.Message)
		assert.False(t, r.until("order-1", asDesired).PasswordWaits)

		reset := decode[acceptedDocument](t, r.want(http.StatusAccepted, "POST", "/vps/order-1/password/reset", ""))
		var c commandDocument
		eventually(t, "the reset is over", func() bool {
			c = decode[commandDocument](t, r.want(http.StatusOK, "GET", reset.Command, ""))
			return c.Over
		})
		assert.Equal(t, commandDocument{Key: "order-1", Verb: engine.ResetRootPassword, State: engine.CommandDone, Over: true, Message: c.Message}, c)
		a = r.want(http.StatusOK, "POST", "/vps/order-1/password", "")
		assert.Equal(t, r.vf.Servers()[0].RootPassword, decode[passwordDocument](t, a).Password)
	})
}

func TestAResetThatFailsSaysSo(t *testing.T) {
	t.Parallel()
	r := newSite(t)
	r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
	r.until("order-1", asDesired)
	r.vf.Forbid("resetServerPassword")
	reset := decode[acceptedDocument](t, r.want(http.StatusAccepted, "POST", "/vps/order-1/password/reset", ""))
	var c commandDocument
	eventually(t, "the reset is over", func() bool {
		c = decode[commandDocument](t, r.want(http.StatusOK, "GET", reset.Command, ""))
		return c.Over
	})
	assert.Equal(t, engine.CommandFailed, c.State)
	assert.Contains(t, c.Message, "forbidden")
}

func TestNoAnswerButOneHoldsThePassword(t *testing.T) {
	t.Parallel()
	r := newSite(t)
	r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
	r.until("order-1", asDesired)
	password := r.vf.Servers()[0].RootPassword.Reveal()
	require.NotEmpty(t, password)
	for _, path := range []string{"/vps", "/vps/order-1", "/healthz"} {
		assert.NotContains(t, string(r.want(http.StatusOK, "GET", path, "").body), password)
	}
	assert.Contains(t, string(r.want(http.StatusOK, "POST", "/vps/order-1/password", "").body), password)
}

func TestTheListSaysWhyAServiceIsNotAsDesired(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, r *rig) {
		r.begin()
		r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
		r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-2", "124"))
		r.until("order-1", asDesired)
		r.until("order-2", asDesired)
		r.vf.FailNextBuild("no space left on device")
		r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-3", "123"))
		r.until("order-3", func(d serviceDocument) bool { return d.Person })

		list := func(query string) (keys []string, d listDocument) {
			d = decode[listDocument](t, r.want(http.StatusOK, "GET", "/vps"+query, ""))
			for _, s := range d.Services {
				keys = append(keys, s.Key)
			}
			return keys, d
		}
		keys, d := list("")
		assert.Equal(t, []string{"order-1", "order-2", "order-3"}, keys)
		assert.Empty(t, d.After)
		eventually(t, "all but one are as desired", func() bool {
			keys, d = list("?wrong=true")
			return slices.Equal(keys, []string{"order-3"})
		})
		assert.Contains(t, d.Services[0].Why, "the installation failed: ")
		assert.Equal(t, engine.Dead, d.Services[0].State)
		keys, _ = list("?customer=123")
		assert.Equal(t, []string{"order-1", "order-3"}, keys)
		keys, d = list("?limit=2")
		assert.Equal(t, []string{"order-1", "order-2"}, keys)
		keys, d = list("?limit=2&after=" + d.After)
		assert.Equal(t, []string{"order-3"}, keys)
		assert.Empty(t, d.After)
		for _, limit := range []string{"0", "1001", "many"} {
			assert.Equal(t, "limit", r.refused(http.StatusBadRequest, "GET", "/vps?limit="+limit, "").Error.Field)
		}
	})
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	t.Parallel()
	r := newSite(t)
	for _, route := range []string{
		"GET /vps/nothing", "GET /vps/nothing/events", "DELETE /vps/nothing", "POST /vps/nothing/suspend", "POST /vps/nothing/unsuspend", "POST /vps/nothing/resync",
		"POST /vps/nothing/password", "GET /commands/nothing", "POST /vps/nothing/password/reset", `POST /vps/nothing/record {"id": "none"}`,
	} {
		parts := append(strings.SplitN(route, " ", 3), "")
		assert.Equal(t, provisioning.NotFound, r.refused(http.StatusNotFound, parts[0], parts[1], parts[2]).Error.Kind, route)
	}
	assert.Equal(t, http.StatusMethodNotAllowed, r.send("PUT", "/vps", "{}").status)
	assert.Equal(t, http.StatusNotFound, r.send("GET", "/else", "").status)
}

func TestCustomersAreMappedToOneUserOfTheOSPABPanel(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, r *rig) {
		r.begin()
		const ann = `{"name": "Ann", "email": "ann@example.com", "ospabUserId": 5}`
		assert.JSONEq(t, `{"id": "123", "name": "Ann", "email": "ann@example.com", "ospabUserId": 5}`, string(r.want(http.StatusOK, "PUT", "/customers/123", ann).body))
		for name, c := range map[string]struct {
			id, body string
			status   int
			message  string
		}{
			"another user of the panel":      {"123", strings.Replace(ann, "5", "4", 1), 409, "customer 123 has a user of the OSPAB panel, which cannot be changed"},
			"no user of the panel any more":  {"123", strings.Replace(ann, `, "ospabUserId": 5`, "", 1), 409, "cannot be changed"},
			"the user of another customer":   {"125", ann, 409, "user 5 of the OSPAB panel is customer 123"},
			"an id that is no number":        {"ann", ann, 400, "id: must be a number"},
			"another id than that of path":   {"123", `{"id": "124", "name": "Ann", "email": "ann@example.com", "ospabUserId": 5}`, 400, "id: must be the one of the path"},
			"no name":                        {"125", `{"email": "c@example.com"}`, 400, "name: is missing"},
			"no address":                     {"125", `{"name": "Cid", "email": "cid"}`, 400, "email: must be an e-mail address"},
			"user 0 of the panel":            {"125", `{"name": "Cid", "email": "c@example.com", "ospabUserId": 0}`, 400, "ospabUserId: must be the customer's user id on the OSPAB panel"},
			"the panel's id in another type": {"125", `{"name": "Cid", "email": "c@example.com", "ospabUserId": "5"}`, 400, "ospabUserId: must be a whole number"},
		} {
			t.Run(name, func(t *testing.T) {
				assert.Contains(t, r.refused(c.status, "PUT", "/customers/"+c.id, c.body).Error.Message, c.message)
			})
		}
	})
}

func TestARecordThatIsUncertainIsSettledByAPerson(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault provisioningtest.Action
		id    string
	}{
		"it was made, and its answer was lost": {provisioningtest.CutAfter, "1"},
		"it was not made":                      {provisioningtest.CutBefore, "none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newSite(t)
			r.ospab.Inject(provisioningtest.Fault{Op: "syncVPS", Do: c.fault})
			r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
			d := r.until("order-1", func(d serviceDocument) bool { return d.Person && online(d) })
			assert.Equal(t, engine.Uncertain, d.Record.State)
			assert.Contains(t, d.Why, "ospab: uncertain: a record may have been made")

			e := r.refused(http.StatusConflict, "POST", "/vps/order-1/resync", "").Error
			assert.True(t, e.MaybeApplied)
			assert.Equal(t, 1, r.ospab.Count("syncVPS"), "a record is not sent twice on a guess")
			for _, id := range []string{`""`, `"x"`, `"0"`, `1`} {
				assert.Equal(t, "id", r.refused(http.StatusBadRequest, "POST", "/vps/order-1/record", `{"id": `+id+`}`).Error.Field)
			}
			r.want(http.StatusAccepted, "POST", "/vps/order-1/record", `{"id": "`+c.id+`"}`)
			r.until("order-1", asDesired)
			require.Len(t, r.ospab.Records(), 1)
			assert.Equal(t, "running", r.ospab.Records()[0].Status)
		})
	}
}

func TestResyncSendsTheStatusAgain(t *testing.T) {
	t.Parallel()
	r := newSite(t)
	r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
	r.until("order-1", asDesired)
	sent := r.ospab.Count("syncVPS")
	r.want(http.StatusAccepted, "POST", "/vps/order-1/resync", "")
	eventually(t, "the record is told its status again", func() bool { return r.ospab.Count("syncVPS") > sent })
	r.until("order-1", asDesired)
	assert.Len(t, r.vf.Servers(), 1)
	assert.Len(t, r.ospab.Records(), 1)
}

func TestReconcileReportsAndChangesOnlyWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	r := newSite(t)
	r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
	r.until("order-1", asDesired)
	r.want(http.StatusAccepted, "POST", "/vps/order-1/suspend", "")
	r.until("order-1", func(d serviceDocument) bool { return d.AsDesired && d.Server.State == provisioning.StateSuspended })

	plan := func(query string) planDocument {
		return decode[planDocument](t, r.want(http.StatusOK, "POST", "/reconcile"+query, ""))
	}
	assert.Empty(t, plan("?panel=virtfusion").Differences)
	assert.Equal(t, 1, plan("?panel=virtfusion").Checked)

	_, err := r.vf.AddServer(virtfusiontest.Server{Name: "by-hand", Built: true})
	require.NoError(t, err)
	unsuspendByHand(t, r, r.vf.Servers()[0].ID)
	got := plan("")
	byWhat := map[engine.Finding]differenceDoc{}
	for _, d := range got.Differences {
		byWhat[d.What] = d
	}
	assert.Len(t, got.Differences, 2)
	assert.Equal(t, differenceDoc{Panel: "virtfusion", Key: "order-1", ID: "101", What: engine.FoundDrift, Want: "suspended", Have: "not suspended", Mend: true}, byWhat[engine.FoundDrift])
	assert.Equal(t, `server "by-hand" of owner 1`, byWhat[engine.FoundStray].Have)
	assert.Contains(t, strings.Join(got.Incomplete, "\n"), "ospab: its records cannot be read", "the sync key cannot read")
	assert.Empty(t, got.Resynced)
	assert.False(t, r.vf.Servers()[0].Suspended, "a report changes nothing")

	got = plan("?apply=true")
	assert.Equal(t, []string{"order-1"}, got.Resynced)
	eventually(t, "the server is suspended again", func() bool { return r.vf.Servers()[0].Suspended })
	for _, s := range r.vf.Servers() {
		assert.True(t, s.DeletedAt.IsZero(), "nothing is deleted")
	}

	assert.Equal(t, "panel", r.refused(http.StatusBadRequest, "POST", "/reconcile?panel=other", "").Error.Field)
	assert.Equal(t, "apply", r.refused(http.StatusBadRequest, "POST", "/reconcile?apply=maybe", "").Error.Field)
}

// unsuspendByHand does what somebody does in the panel.
func unsuspendByHand(t *testing.T, r *rig, server int64) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, fmt.Sprintf("%s/api/v1/servers/%d/unsuspend", r.vfHTTP.URL, server), nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+r.vf.Token().Reveal())
	require.Less(t, r.sendRequest(req).status, 300)
}

func TestHealthIsAboutThisProgram(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	s := r.open(slog.New(slog.DiscardHandler))
	r.customers()
	r.ospab.SetKey("another key of thirty-two letters!")
	r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
	r.until("order-1", online)
	health := func() (d healthDocument) {
		return decode[healthDocument](t, r.want(http.StatusOK, "GET", "/healthz", ""))
	}
	eventually(t, "the panel is paused", func() bool { return slices.ContainsFunc(health().Panels, func(p healthDoc) bool { return p.Paused }) })
	d := health()
	assert.Equal(t, "ok", d.Status)
	assert.Equal(t, healthDoc{Name: "virtfusion"}, d.Panels[1])
	assert.Equal(t, "ospab", d.Panels[0].Name)
	assert.Equal(t, "credentials", d.Panels[0].Cause)
	assert.Equal(t, 1, d.Panels[0].Pending, "the record")
	assert.WithinDuration(t, time.Now(), d.Panels[0].Oldest, time.Minute)

	r.ospab.SetKey(ospabpaneltest.DefaultKey)
	r.until("order-1", asDesired)
	s.close(t.Context())
	r.want(http.StatusServiceUnavailable, "GET", "/healthz", "")
}

func TestPagesOfOtherSitesCannotOrder(t *testing.T) {
	t.Parallel()
	r := newSite(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.base+"/vps", strings.NewReader(orderOf("order-1", "123")))
	require.NoError(t, err)
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	assert.Equal(t, http.StatusForbidden, r.sendRequest(req).status)
	r.want(http.StatusNotFound, "GET", "/vps/order-1", "")
}

func TestAFailureOfThisProgramIsLoggedAndNotShown(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	var log strings.Builder
	s := r.open(slog.New(slog.NewTextHandler(&log, nil)))
	s.db.close()
	a := r.send("GET", "/vps/order-1", "")
	r.stop()
	assert.Equal(t, http.StatusInternalServerError, a.status)
	assert.JSONEq(t, `{"error": {"kind": "unexpected", "message": "this is not your fault, and was logged"}}`, string(a.body))
	assert.Contains(t, log.String(), "sql: database is closed")
}

func TestTheLogHoldsNoSecret(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	var log strings.Builder
	r.open(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	r.customers()
	r.ospab.Inject(provisioningtest.Fault{Op: "syncVPS", Do: provisioningtest.Answer, Status: 401})
	r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
	r.until("order-1", asDesired)
	password := decode[passwordDocument](t, r.want(http.StatusOK, "POST", "/vps/order-1/password", "")).Password
	r.stop()
	assert.Contains(t, log.String(), "panel paused")
	for _, secret := range []provisioning.Secret{password, r.vf.Token(), r.ospab.Key()} {
		assert.NotContains(t, log.String(), secret.Reveal())
	}
}

func FuzzOrdersAreReadOrRefused(f *testing.F) {
	f.Add(orderOf("order-1", "123"))
	f.Add(`{"memory": "8GiB", "disk": null, "vcpus": 1e2, "sshKeys": ["a b"]}`)
	f.Add(`{"Memory": 8}`)
	f.Add(`[{"key": []}]`)
	f.Fuzz(func(t *testing.T, body string) {
		var o, again order
		err := readJSON(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/vps", strings.NewReader(body)), &o)
		if err != nil {
			status, d := describeError(err)
			assert.Equal(t, http.StatusBadRequest, status)
			assert.NotEmpty(t, d.Error.Field)
			return
		}
		b, err := encode(o)
		require.NoError(t, err)
		require.NoError(t, readJSON(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/vps", bytes.NewReader(b)), &again))
		assert.Equal(t, o, again)
	})
}

func TestAWebhookOfThePanelMakesTheSiteLook(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.timings.Observe = -1 // it looks at nothing by itself
	r.env[envWebhookToken] = "simulated-hook-token"
	r.begin()
	r.want(http.StatusAccepted, "POST", "/vps", orderOf("order-1", "123"))
	d := r.until("order-1", asDesired)
	r.vf.AddWebhook(virtfusiontest.Webhook{URL: r.base + "/webhooks/virtfusion", Token: "simulated-hook-token"})
	admin, err := virtfusion.New(r.vfHTTP.URL, r.vf.Token())
	require.NoError(t, err)
	_, err = provisioning.Delete(t.Context(), virtfusion.NewProvider(admin, virtfusion.ProviderOptions{}), d.Server.ID, provisioning.DeleteOptions{})
	require.NoError(t, err)
	r.until("order-1", func(d serviceDocument) bool { return d.State == engine.Lost })
}

func TestAWebhookWithoutTheTokenIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.env[envWebhookToken] = "simulated-hook-token"
	r.begin()
	answer, err := http.Post(r.base+"/webhooks/virtfusion", "application/json", strings.NewReader(`{}`))
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	assert.Equal(t, http.StatusUnauthorized, answer.StatusCode)
}
