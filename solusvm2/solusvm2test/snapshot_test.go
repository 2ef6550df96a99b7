package solusvm2test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestASnapshotCarriesEverythingToAnotherPanel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := &receiver{answer: func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }}
		a := newAPI(t, WithWebhooks(hang))
		ann := id(a.want(201, "POST", "/users", obj{"email": "ann@example.com", "password": "x"}))
		login := secret(dig(a.want(200, "POST", "/auth/login", obj{"email": "ann@example.com", "password": "x"}), "data", "credentials", "access_token"))
		key := id(a.want(201, "POST", "/ssh_keys", obj{"name": "k", "body": aKey, "user_id": ann}))
		ready := a.foreign(Server{UserID: ann, Name: "web", IPv6: true})
		a.want(201, "POST", serverPath(ready.ID, "/snapshots"), obj{"name": "s"})
		time.Sleep(10 * time.Second)
		a.want(201, "POST", serverPath(ready.ID, "/backups"), nil)
		a.p.FailNext(TaskStop, TaskFailed, "no")
		a.p.Forbid("listRoles")
		a.handle(EventHandler{Events: []string{EventServerCreated, EventUserCreated}, Parameters: `{"secret":"s"}`})
		a.want(201, "POST", "/users", obj{"email": "bob@example.com"}) // its call hangs
		making := id(a.want(201, "POST", "/servers", with(nodeOrder(), obj{"user": ann, "ssh_keys": []int64{key}})))
		time.Sleep(10 * time.Second)
		stored, err := a.p.Snapshot()
		require.NoError(t, err)
		before := a.p.Servers()

		rc := &receiver{}
		b := newAPI(t, WithWebhooks(rc))
		b.foreign(Server{Name: "overwritten"})
		require.NoError(t, b.p.Restore(stored))
		b.token = b.p.Token()
		assert.Equal(t, a.p.Token(), b.p.Token())
		assert.Equal(t, before, b.p.Servers())
		again, err := b.p.Snapshot()
		require.NoError(t, err)
		var was, is map[string]any
		require.NoError(t, json.Unmarshal(stored, &was))
		require.NoError(t, json.Unmarshal(again, &is))
		for _, changed := range []string{"tasks", "deliveries"} { // the call that hung
			delete(was, changed)
			delete(is, changed)
		}
		assert.Equal(t, was, is)
		assert.Equal(t, []any{true, "The panel was stopped."}, []any{b.p.Deliveries()[0].Failed, b.p.Deliveries()[0].Reason}, "it is not repeated")

		time.Sleep(20 * time.Second)
		assert.Equal(t, "started", dig(b.get(serverPath(making, "")), "data", "status"))
		assert.Len(t, rc.queries(), 1, "the handler came along")
		customer := &api{t, b.p, login}
		assert.Equal(t, "ann@example.com", dig(customer.get("/account"), "data", "email"))
		b.want(403, "GET", "/roles", nil)
		assert.Equal(t, "failed", dig(b.task(b.want(200, "POST", serverPath(ready.ID, "/stop"), nil)), "data", "status"))
		assert.Equal(t, int64(103), b.foreign(Server{}).ID, "ids go on")
	})
}

func TestWhatTimeDidIsDoneAfterARestore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		server := a.create()
		a.handle(EventHandler{Events: []string{EventServerCreated}})
		stored, err := a.p.Snapshot()
		require.NoError(t, err)
		time.Sleep(time.Hour)
		rc := &receiver{}
		b := newAPI(t, WithWebhooks(rc))
		require.NoError(t, b.p.Restore(stored))
		assert.Len(t, rc.queries(), 1, "without anybody looking")
		b.token = b.p.Token()
		assert.Equal(t, "started", dig(b.get(serverPath(server, "")), "data", "status"))
	})
}

func TestWhatIsNoSnapshotIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	s := a.foreign(Server{IPv6: true})
	a.want(201, "POST", serverPath(s.ID, "/backups"), nil)
	good, err := a.p.Snapshot()
	require.NoError(t, err)
	spoil := map[string]func(st *state){
		"no roles":                   func(st *state) { st.Roles = nil },
		"no token":                   func(st *state) { st.AdminToken = "" },
		"no administrator":           func(st *state) { delete(st.Users, 1) },
		"an empty record":            func(st *state) { st.Plans[PlanSmall] = nil },
		"a role that does not exist": func(st *state) { st.Users[1].RoleIDs = []int64{9} },
		"a project without owner":    func(st *state) { st.Projects[501].OwnerID = 9 },
		"a server without node":      func(st *state) { st.Servers[s.ID].NodeID = 99 },
		"a server without plan":      func(st *state) { st.Servers[s.ID].Plan = nil },
		"a missing address":          func(st *state) { st.Servers[s.ID].Addresses[0] = 1 },
		"an address of no block":     func(st *state) { delete(st.Blocks, 201) },
		"a block of nothing":         func(st *state) { st.Blocks[201].Known = nil },
		"an open task of nothing":    func(st *state) { st.Open = []int64{1} },
		"a task without server":      func(st *state) { st.Tasks[1001].ServerID = 9 },
		"a backup without task":      func(st *state) { st.Backups[401].TaskID = 9 },
		"a delivery without task":    func(st *state) { st.Deliveries = []*delivery{{}} },
	}
	for name, change := range spoil {
		st := &state{}
		require.NoError(t, json.Unmarshal(good, st))
		change(st)
		b, err := json.Marshal(st)
		require.NoError(t, err)
		require.ErrorContains(t, a.p.Restore(b), "not the snapshot of a panel", name)
	}
	for _, bad := range []string{"", "null", "{}", "[]", "x", strings.Repeat("[", 100)} {
		require.Error(t, a.p.Restore([]byte(bad)), bad)
	}
	assert.Len(t, a.p.Servers(), 1)
	require.NoError(t, a.p.Restore(good))
	a.get(serverPath(s.ID, ""))
}

// FuzzRestore checks that whatever Restore takes can be looked at from all sides.
func FuzzRestore(f *testing.F) {
	p := NewPanel(Options{})
	defer p.Close()
	a := &api{f, p, p.Token()}
	s := a.foreign(Server{IPv6: true})
	a.want(200, "POST", serverPath(s.ID, "/ips"), nil)
	a.want(201, "POST", serverPath(a.foreign(Server{}).ID, "/backups"), nil)
	b, err := p.Snapshot()
	require.NoError(f, err)
	f.Add(b)
	f.Add([]byte(`{"adminToken":"x"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		p := New(t, WithWebhooks(brokenTransport{}))
		if p.Restore(b) != nil {
			return
		}
		a := &api{t, p, p.Token()}
		for _, list := range []string{"servers", "tasks", "plans", "projects", "users", "ip_blocks", "compute_resources", "activity_logs", "ip_blocks/201/ips"} {
			status, body := a.do("GET", "/"+list, nil)
			require.Contains(t, []int{200, 401, 403, 404}, status, body)
		}
		for _, s := range p.Servers() {
			a.do("GET", fmt.Sprintf("/servers/%d", s.ID), nil)
		}
	})
}
