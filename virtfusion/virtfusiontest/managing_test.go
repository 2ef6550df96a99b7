package virtfusiontest

import (
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
)

func TestManagingSaysNoInThePanelsWords(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	ann := a.p.AddUser(User{Name: "Ann", Email: "ann@example.com", ExtRelationID: 77})
	made, err := a.p.AddServer(Server{OwnerID: ann, Built: true})
	require.NoError(t, err)
	at := func(rest string) string { return serverPath(made.ID, rest) }
	never := serverPath(a.create(), "")
	for _, tt := range []struct {
		name, method, path string
		in                 any
		status             int
		contains           string
	}{
		{"memory: of a missing server", "PUT", "/servers/1/modify/memory", obj{"memory": 512}, 404, `{"msg":"server not found"}`},
		{"memory: too little", "PUT", at("/modify/memory"), obj{"memory": 255}, 422, "at least 256"},
		{"memory: missing", "PUT", at("/modify/memory"), obj{}, 422, "required"},
		{"cores: too many", "PUT", at("/modify/cpuCores"), obj{"cores": 601}, 422, "600"},
		{"throttle: everything", "PUT", at("/modify/cpuThrottle"), obj{"percent": 100}, 422, "99"},
		{"owner: nobody", "PUT", at("/owner/999"), nil, 404, `{"msg":"user not found"}`},
		{"xml: not text", "POST", at("/customXML"), obj{"domain": 1}, 422, "string"},
		{"plan: not a number", "PUT", at("/backups/plan/x"), nil, 404, "msg"},
		{"access: as packages write it", "PUT", at("/backupManager/access"), obj{"type": "viewAndRestore"}, 422, "type"},
		{"backup: nothing built", "POST", never + "/backupManager/backup", nil, 423, "msg"},
		{"restore: no disks", "POST", at("/backupManager/restore"), obj{"disks": []string{}}, 422, "disks"},
		{"restore: a disk that is not there", "POST", at("/backupManager/restore"), obj{"disks": []string{"2"}}, 422, "disks"},
		{"restore: no backup", "POST", at("/backupManager/restore"), obj{"disks": []string{"1"}}, 422, "no backup"},
		{"disk: of a server that was not built", "POST", never + "/disks", obj{"sizeGb": 1}, 422, "not been built"},
		{"disk: no size", "POST", at("/disks"), obj{}, 422, "size gb"},
		{"disk: storage point", "POST", at("/disks"), obj{"sizeGb": 1, "storagePointId": 9}, 422, "storage point"},
		{"disk: bus", "POST", at("/disks"), obj{"sizeGb": 1, "bus": "ide"}, 422, "bus"},
		{"disk: limit", "POST", at("/disks"), obj{"sizeGb": 1, "qos": obj{"readIops": -1}}, 422, "read iops"},
		{"disk: limits that are none", "POST", at("/disks"), obj{"sizeGb": 1, "qos": 5}, 422, "qos"},
		{"disk: not there", "GET", at("/disks/b"), nil, 404, `{"msg":"disk not found"}`},
		{"disk: apply alone", "PUT", at("/disks/a"), obj{"apply": true}, 422, "qos"},
		{"disk: primary off", "PUT", at("/disks/1"), obj{"enabled": false}, 422, "primary"},
		{"disk: smaller", "PUT", at("/disks/a"), obj{"sizeGb": 1}, 422, "smaller"},
		{"disk: deleting the primary", "DELETE", at("/disks/a"), obj{"confirm": true}, 422, "primary"},
		{"storage: drive", "PUT", at("/modify/storage"), obj{"drive": "b", "size": 99}, 422, "drive"},
		{"storage: smaller", "PUT", at("/modify/storage"), obj{"drive": "a", "size": 1}, 422, "smaller"},
		{"rescue: nothing built", "POST", never + "/rescue", nil, 423, "msg"},
		{"rescue: image", "POST", at("/rescue"), obj{"imageId": 9}, 422, "image id"},
		{"asset: not there", "POST", at("/hypervisorAssets/9"), nil, 404, "msg"},
		{"iso: both", "POST", at("/media/iso"), obj{"isoId": ImageRescue, "url": "https://a.example/x.iso"}, 422, "iso id"},
		{"iso: an address with a query", "POST", at("/media/iso"), obj{"url": "https://a.example/x.iso?y"}, 422, "url"},
		{"image: not there", "GET", "/media/iso/1", nil, 404, `{"msg":"iso not found"}`},
		{"image: file name is taken", "POST", "/media/iso", obj{"name": "abc", "filename": "rescue-cd"}, 422, "taken"},
		{"package: name", "POST", "/packages", obj{"name": "ab"}, 422, "at least 3"},
		{"package: not confirmed", "DELETE", "/packages/1", obj{"force": true}, 422, "confirm"},
		{"package: memory", "PUT", "/packages/1", obj{"memory": 8}, 422, "at least 64"},
		{"package: not there", "POST", "/packages/99/duplicate", obj{"name": "abc"}, 404, `{"msg":"package not found"}`},
		{"hypervisor: not there", "PUT", "/compute/hypervisors/1", obj{"name": "abc"}, 404, "msg"},
		{"hypervisor: unknown member", "PUT", "/compute/hypervisors/11", obj{"colour": "red"}, 422, "unknown"},
		{"hypervisor: group", "PUT", "/compute/hypervisors/11", obj{"groupId": 1}, 422, "group id"},
		{"metrics: too far back", "GET", "/compute/hypervisors/11/metrics?minutes=40321", nil, 422, "minutes"},
		{"login: nobody", "POST", "/users/1/authenticationTokens", nil, 404, `{"msg":"ext_relation_id not found"}`},
		{"login: a missing server", "POST", "/users/77/serverAuthenticationTokens/9", nil, 404, `{"msg":"server not found"}`},
		{"credit: not a number", "POST", "/selfService/credit/byUserExtRelationId/77", obj{"tokens": "x"}, 422, "tokens"},
		{"credit: nobody", "POST", "/selfService/credit/byUserExtRelationId/1", obj{"tokens": 1}, 404, "ext_relation_id"},
		{"profile: unknown", "POST", "/selfService/hourlyGroupProfile/byUserExtRelationId/77", obj{"profileId": 1}, 422, "profile id"},
		{"pack: unknown", "POST", "/selfService/resourcePack/byUserExtRelationId/77", obj{"packId": 1}, 422, "pack id"},
		{"pack: not there", "GET", "/selfService/resourcePack/1", nil, 404, "msg"},
		{"report: too far back", "GET", "/selfService/report/byUserExtRelationId/77?period=25", nil, 422, "period"},
		{"usage: range", "GET", "/selfService/usage/byUserExtRelationId/77?range=y", nil, 422, "range"},
		{"usage: day", "GET", "/selfService/usage/byUserExtRelationId/77?period%5B%5D=today", nil, 422, "period"},
	} {
		before, err := a.p.Snapshot()
		require.NoError(t, err)
		status, body := a.do(tt.method, tt.path, tt.in)
		assert.Equal(t, tt.status, status, "%s: %s", tt.name, body)
		assert.Contains(t, body, tt.contains, tt.name)
		after, err := a.p.Snapshot()
		require.NoError(t, err)
		assert.JSONEq(t, withoutRecords(t, before), withoutRecords(t, after), "%s: a refusal changes nothing", tt.name)
	}
}

// withoutRecords takes out of a snapshot what a look at a record makes: empty ones.
func withoutRecords(t *testing.T, snapshot []byte) string {
	t.Helper()
	p := NewPanel(Options{Empty: true})
	defer p.Close()
	require.NoError(t, p.Restore(snapshot))
	m := &p.state.Managed
	for id, e := range m.Servers {
		if e.XML == nil && e.Access == "" && e.Throttle == 0 && e.BackupPlan == 0 && e.Rescue == 0 && len(e.Backups) == 0 && e.Requested == (mounted{}) {
			delete(m.Servers, id)
		}
	}
	for id, h := range m.Hypervisors {
		if *h == (hypervisorSets{}) {
			delete(m.Hypervisors, id)
		}
	}
	if len(m.Servers) == 0 {
		m.Servers = nil
	}
	if len(m.Hypervisors) == 0 {
		m.Hypervisors = nil
	}
	out, err := p.Snapshot()
	require.NoError(t, err)
	return string(out)
}

func TestSwitchesThatAreLeftOutHaveThePanelsDefaults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		ann := a.p.AddUser(User{Name: "Ann", Email: "ann@example.com", ExtRelationID: 77})
		s, err := a.p.AddServer(Server{OwnerID: ann, Built: true})
		require.NoError(t, err)

		a.want(200, "POST", serverPath(s.ID, "/rescue"), nil)
		require.Len(t, a.p.Mails(), 1, "rescue mails")
		assert.Equal(t, "ann@example.com", a.p.Mails()[0].To)
		time.Sleep(5 * time.Second)
		m, _ := a.p.Managed(s.ID)
		assert.EqualValues(t, 1, m.RescueImage)

		pack := int64(dig(a.want(201, "POST", "/selfService/resourcePack/byUserExtRelationId/77", obj{"packId": PackSmall}), "data", "id").(float64))
		enabled, _ := a.p.PackEnabled(pack)
		assert.True(t, enabled)
		require.NoError(t, a.p.AddToPack(pack, s.ID))
		require.Error(t, a.p.AddToPack(1, s.ID))
		a.want(204, "DELETE", fmt.Sprintf("/selfService/resourcePackServers/%d", pack), nil)
		truth, _ := a.p.Server(s.ID)
		assert.Equal(t, time.Now().Add(30*time.Minute).UTC(), truth.DeletionAt)
	})
}

func TestALoginIsOfOneUserForAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		ann := a.p.AddUser(User{Name: "Ann", Email: "ann@example.com", RelStr: "cust/7"})
		link := func() provisioning.Secret {
			got := a.want(200, "POST", "/users/cust%2F7/authenticationTokens?relStr=true", obj{"return_url": "https://shop.example.com"})
			return provisioning.Secret(a.p.URL() + dig(got, "data", "authentication", "endpoint_complete").(string))
		}
		first, second := link(), link()
		user, server, err := a.p.FollowLogin(first)
		require.NoError(t, err)
		assert.Equal(t, ann, user)
		assert.Zero(t, server)
		_, _, err = a.p.FollowLogin("https://elsewhere.example.com/token_authenticate/?1=a&2=b")
		require.ErrorContains(t, err, "elsewhere")
		time.Sleep(time.Minute + time.Nanosecond)
		_, _, err = a.p.FollowLogin(second)
		require.ErrorContains(t, err, "expired")
	})
}

func TestASnapshotHasWhatWasManaged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		ann := a.p.AddUser(User{Name: "Ann", Email: "ann@example.com", ExtRelationID: 77})
		s, err := a.p.AddServer(Server{OwnerID: ann, Built: true})
		require.NoError(t, err)
		a.want(201, "POST", "/selfService/credit/byUserExtRelationId/77", obj{"tokens": 12.5})
		a.want(201, "PUT", serverPath(s.ID, "/modify/cpuThrottle"), obj{"percent": 30})
		a.want(201, "POST", serverPath(s.ID, "/disks"), obj{"sizeGb": 7, "qos": obj{"readIops": 100}})
		a.want(201, "POST", "/packages", obj{"name": "abc", "description": "three letters"})
		a.want(200, "POST", serverPath(s.ID, "/media/iso"), obj{"isoId": ImageRescue})
		snapshot, err := a.p.Snapshot()
		require.NoError(t, err)

		b := newAPI(t, WithToken(a.p.Token()))
		require.NoError(t, b.p.Restore(snapshot))
		time.Sleep(3 * time.Second)
		assert.Equal(t, "12.5", b.p.Balance(ann))
		got := b.get(serverPath(s.ID, ""))
		assert.EqualValues(t, 30, dig(got, "data", "cpu", "throttle"))
		assert.EqualValues(t, 100, dig(got, "data", "storage", 1, "iops", "read"))
		assert.Equal(t, "Rescue CD", dig(got, "data", "media", "isoName"))
		assert.Equal(t, "three letters", dig(b.get("/packages/5"), "data", "description"))

		for _, broken := range []func(*state){
			func(st *state) { st.Managed.Servers = map[int64]*serverExtras{1: nil} },
			func(st *state) { st.Managed.Logins = []*login{nil} },
			func(st *state) { st.Managed.SelfService.Packs = map[int64]*userPack{1: {ID: 1, OfferID: 5}} },
		} {
			c := newAPI(t)
			broken(c.p.state)
			bad, err := c.p.Snapshot()
			require.NoError(t, err)
			require.Error(t, b.p.Restore(bad))
		}
	})
}

// TestAnswersOfManagingHaveTheMembersOfTheVendorsExamples compares shapes as TestAnswersHaveTheMembersOfTheVendorsExamples does.
func TestAnswersOfManagingHaveTheMembersOfTheVendorsExamples(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(vendorExamples); err != nil {
		t.Skip("the reference folder is not present")
	}
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t, WithVersion(V70))
		ann := a.p.AddUser(User{Name: "Ann", Email: "ann@example.com", ExtRelationID: 77})
		s, err := a.p.AddServer(Server{OwnerID: ann, Built: true})
		require.NoError(t, err)
		pack := a.want(201, "POST", "/selfService/resourcePack/byUserExtRelationId/77", obj{"packId": PackSmall, "enabled": true})
		for file, got := range map[string]obj{
			"GET_media_iso_isoId.200.json":                                             a.get(fmt.Sprintf("/media/iso/%d", ImageRescue)),
			"GET_selfService_currencies.200.json":                                      a.get("/selfService/currencies"),
			"GET_selfService_hourlyStats_byUserExtRelationId_extRelationId.200.json":   a.get("/selfService/hourlyStats/byUserExtRelationId/77"),
			"GET_selfService_report_byUserExtRelationId_extRelationId.200.json":        a.get("/selfService/report/byUserExtRelationId/77"),
			"GET_selfService_usage_byUserExtRelationId_extRelationId.200.json":         a.get("/selfService/usage/byUserExtRelationId/77"),
			"GET_selfService_resourcePack_packId.200.json":                             a.get(fmt.Sprintf("/selfService/resourcePack/%.0f", dig(pack, "data", "id"))),
			"POST_selfService_resourcePack_byUserExtRelationId_extRelationId.201.json": pack,
			"POST_selfService_credit_byUserExtRelationId_extRelationId.201.json": a.want(201, "POST", "/selfService/credit/byUserExtRelationId/77",
				obj{"tokens": 1}),
			"POST_users_extRelationId_authenticationTokens.200.json": a.want(200, "POST", "/users/77/authenticationTokens", nil),
			"POST_users_extRelationId_serverAuthenticationTokens_serverId.200.json": a.want(200, "POST", fmt.Sprintf("/users/77/serverAuthenticationTokens/%d",
				s.ID), nil),
		} {
			assert.Equal(t, []string(nil), compare(t, file, got, nil, nil), file)
		}
	})
}

func TestWhatNobodyHasSeenAnswersEmptyData(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	s, err := a.p.AddServer(Server{Built: true})
	require.NoError(t, err)
	for _, path := range []string{
		serverPath(s.ID, "/disks"), serverPath(s.ID, "/disks/a"), serverPath(s.ID, "/rescue"), serverPath(s.ID, "/hypervisorAssets/available"), serverPath(s.ID,
			"/media/iso"),
		"/compute/hypervisors/11/metrics?minutes=60", "/compute/hypervisors/11/storage", "/compute/networkFilters/components",
	} {
		assert.Equal(t, obj{"data": obj{}}, a.get(path), path)
	}
	assert.Equal(t, obj{"data": obj{}}, a.want(200, "POST", "/compute/hypervisors/11/networkFilters/regenerate", nil))
	assert.Equal(t, 1, a.p.state.Managed.Hypervisors[11].Filtered)
}
