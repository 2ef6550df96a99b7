package virtfusiontest

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNetworkOperationsSayNoInThePanelsWords(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	s, err := a.p.AddServer(Server{PackageID: PackageLarge, Built: true})
	require.NoError(t, err)
	small, err := a.p.AddServer(Server{Built: true})
	require.NoError(t, err)
	server := func(rest string) string { return serverPath(s.ID, rest) }
	primary, secondary := server("/interfaces/primary"), obj{"interface": "secondary", "quantity": 1}
	tests := []struct {
		name, method, path string
		in                 any
		status             int
		contains           string
	}{
		{"quantity: none", "POST", server("/ipv4Qty"), obj{"interface": "primary"}, 422, "The quantity field is required."},
		{"quantity: zero", "POST", server("/ipv4Qty"), obj{"interface": "primary", "quantity": 0}, 422, "at least 1"},
		{"quantity: no interface", "POST", server("/ipv4Qty"), obj{"quantity": 1}, 422, "The interface field is required."},
		{"quantity: a server without a second interface", "POST", serverPath(small.ID, "/ipv4Qty"), secondary, 422, "interface"},
		{"quantity: more than there are", "POST", server("/ipv4Qty"), obj{"interface": "primary", "quantity": 9000}, 422, "Not enough free IPv4"},
		{"address: not in a block", "POST", server("/ipv4"), obj{"interface": "primary", "ip": []string{"192.0.2.1"}}, 422, "192.0.2.1"},
		{"address: of another server", "POST", server("/ipv4"), obj{"interface": "primary", "ip": []string{small.IPv4[0].String()}}, 422, "not available"},
		{"address: of another group", "POST", server("/ipv4"), obj{"interface": "primary", "ip": []string{"198.18.32.9"}}, 422, "not available"},
		{"address: the gateway", "POST", server("/ipv4"), obj{"interface": "primary", "ip": []string{"198.18.0.1"}}, 422, "not available"},
		{"address: named twice", "POST", server("/ipv4"), obj{"interface": "primary", "ip": []string{"198.18.0.99", "198.18.0.99"}}, 422, "not available"},
		{"address: not a list", "POST", server("/ipv4"), obj{"interface": "primary", "ip": "198.18.0.99"}, 422, "array"},
		{"address: removed from the wrong interface", "DELETE", server("/ipv4"), obj{"interface": "secondary", "ip": []string{"198.18.0.2"}}, 422, "not assigned"},
		{"whitelist: not an address", "POST", server("/networkWhitelist"), obj{"interface": "primary", "ip": "x", "cidr": 32}, 422, "valid IP"},
		{"whitelist: too long", "POST", server("/networkWhitelist"), obj{"interface": "primary", "ip": "10.0.0.1", "cidr": 33}, 422, "greater than 32"},
		{"traffic: too much", "PUT", server("/modify/traffic"), obj{"traffic": 999_999_999}, 422, "999999998"},
		{"traffic: unknown direction", "PUT", server("/modify/traffic"), obj{"trafficCountDirection": 4}, 422, "direction"},
		{"traffic block: without a limit", "POST", server("/traffic/blocks"), obj{"month": 1, "amount": 5}, 422, "unlimited"},
		{"traffic block: past", "POST", serverPath(small.ID, "/traffic/blocks"), obj{"month": 0, "amount": 5}, 422, "at least 1"},
		{"traffic block: of another server", "DELETE", server("/traffic/blocks/1"), nil, 404, `"msg"`},

		{"interface: unknown", "GET", server("/interfaces/eth0"), nil, 404, `{"msg":"interface not found"}`},
		{"interface: tag of another server", "GET", server(fmt.Sprintf("/interfaces/%d", tagOf(1))), nil, 404, `"msg"`},
		{"interface: one more than two", "POST", server("/interfaces"), obj{}, 422, "already"},
		{"interface: network of another hypervisor", "PUT", primary, obj{"hypervisorNetworkId": 999}, 422, "network"},
		{"interface: name", "PUT", primary, obj{"name": "x"}, 422, "name"},
		{"interface: queues", "PUT", primary, obj{"processQueues": 41}, 422, "process queues"},
		{"interface: ids of addresses that nobody has", "POST", primary + "/ipv4", obj{"ids": []int{1}}, 422, "errors"},
		{"interface: order with a stranger", "PUT", primary + "/ipv4/order", obj{"order": []int{1}}, 422, "every address"},
		{"interface: MAC of a missing address", "PUT", primary + "/ipv4/1/mac", obj{"macId": nil}, 404, `"msg"`},
		{"interface: MAC is not given", "PUT", primary + "/ipv4/3001/mac", obj{}, 422, "present"},
		{"interface: IPv6 of another block", "POST", primary + "/ipv6", obj{"subnet": "2001:db8:f:1::"}, 422, "not available"},
		{"interface: IPv6 on the second", "POST", server("/interfaces/secondary/ipv6"), obj{}, 422, "IPv6"},
		{"vlan: number", "POST", primary + "/vlans", obj{"vlanId": 4095}, 422, "4094"},
		{"mac: multicast", "POST", primary + "/macs", obj{"mac": "01:00:5e:00:00:01"}, 422, "MAC"},

		{"firewall: rule without an action", "POST", server("/firewall/primary/rules"), obj{"protocol": "tcp", "direction": "in"}, 422, "action"},
		{"firewall: unknown ruleset", "POST", server("/firewall/primary/rules"), obj{"rulesets": []int{9}}, 422, "Invalid or disabled firewall ruleset"},
		{"firewall: unknown ruleset to attach", "POST", server("/firewall/primary/rulesets"), obj{"rulesetId": 9}, 422, "ruleset"},
		{"firewall: unknown rule", "DELETE", server("/firewall/primary/rules/9"), nil, 404, `"msg"`},
		{"firewall: ruleset", "GET", "/firewall/rulesets/9", nil, 404, `"msg"`},

		{"block: short name", "POST", "/connectivity/ipblocks", obj{"name": "ab", "type": 4}, 422, "at least 3"},
		{"block: enabled without a netmask", "POST", "/connectivity/ipblocks", obj{"name": "abc", "type": 4, "enabled": true}, 422, "not complete"},
		{"block: zone without an id", "POST", "/connectivity/ipblocks", obj{"name": "abc", "type": 4, "rdnsType": "zone"}, 422, "zone id"},
		{"block: another family", "PUT", "/connectivity/ipblocks/201", obj{"type": 6}, 422, "type"},
		{"block: deleted without a confirmation", "DELETE", "/connectivity/ipblocks/203", nil, 422, "confirm"},
		{"block: deleted while in use", "DELETE", "/connectivity/ipblocks/201", obj{"confirm": true}, 409, "errors"},
		{"block: range backwards", "POST", "/connectivity/ipblocks/201/ipv4", obj{"type": "range", "start": "10.0.0.9", "end": "10.0.0.1"}, 422, "range"},
		{"block: large range", "POST", "/connectivity/ipblocks/201/ipv4", obj{"type": "range", "start": "10.0.0.0", "end": "10.9.0.0"}, 422, "large"},
		{"block: IPv4 for an IPv6 block", "POST", "/connectivity/ipblocks/202/ipv4", obj{"type": "range", "start": "10.0.0.1", "end": "10.0.0.1"}, 422, "IPv4 block"},
		{"block: prefix", "POST", "/connectivity/ipblocks/201/ipv4", obj{"type": "cidr", "address": "10.0.0.0", "prefix": 31}, 422, "prefix"},
		{"block: subnets of an IPv4 block", "POST", "/connectivity/ipblocks/201/ipv6/generate", nil, 422, "IPv6"},
		{"block: blacklist outside", "POST", "/connectivity/ipblocks/202/blacklist", obj{"subnet": "2001:db8:f::"}, 422, "not in this block"},
		{"block: unknown", "GET", "/connectivity/ipblocks/9", nil, 404, `"msg"`},
		{"group: unknown block", "POST", "/connectivity/ipblockgroups", obj{"name": "abc", "blockIds": []int{9}}, 422, "block"},
		{"rdns: no name", "PUT", "/connectivity/ipv4/rdns", obj{"address": "198.18.0.2"}, 422, "present"},
		{"network: bridge in use", "POST", "/compute/hypervisors/11/networks", obj{"name": "abc", "bridge": "br0", "type": "simpleBridge"}, 409, "bridge"},
		{"network: type", "POST", "/compute/hypervisors/11/networks", obj{"name": "abc", "bridge": "br1", "type": "token ring"}, 422, "type"},
		{"network: the primary one is renamed", "PUT", "/compute/hypervisors/11/networks/41", obj{"name": "abc"}, 422, "renamed"},
		{"network: of another hypervisor", "GET", "/compute/hypervisors/11/networks/42", nil, 404, `"msg"`},
		{"binding: unknown", "DELETE", "/compute/hypervisors/11/ipblocks/201", nil, 404, `"msg"`},
		{"binding: order with a stranger", "PUT", "/compute/hypervisors/11/ipblocks/order", obj{"order": []int{203}}, 422, "block"},
		{"dns service: unknown", "GET", "/dns/services/9", nil, 404, `"msg"`},
	}
	for _, tt := range tests {
		status, body := a.do(tt.method, tt.path, tt.in)
		assert.Equal(t, tt.status, status, "%s: %s", tt.name, body)
		assert.Contains(t, body, tt.contains, tt.name)
	}
	assert.Empty(t, a.p.Firewall(s.ID).Rules)
	after, _ := a.p.Server(s.ID)
	assert.Equal(t, s.IPv4, after.IPv4, "a refusal changes nothing")
	assert.Equal(t, s.TrafficGB, after.TrafficGB)
}

func TestOlderPanelsHaveOnlyTheContractOfRulesets(t *testing.T) {
	t.Parallel()
	a := newAPI(t, WithVersion(V70))
	s, err := a.p.AddServer(Server{Built: true})
	require.NoError(t, err)
	rules := serverPath(s.ID, "/firewall/primary/rules")
	a.want(201, "POST", rules, obj{"rulesets": []int64{RulesetWeb}})
	require.Len(t, a.p.Firewall(s.ID).Rules, 3)
	a.want(422, "POST", rules, obj{"protocol": "tcp", "direction": "in", "action": "allow"})
	assert.Len(t, a.p.Firewall(s.ID).Rules, 3)
	status, _ := a.do("GET", rules, nil)
	assert.Equal(t, 405, status)
	a.want(201, "POST", rules, obj{"rulesets": []int{}})
	assert.Empty(t, a.p.Firewall(s.ID).Rules)
	a.want(422, "PUT", serverPath(s.ID, "/modify/traffic"), obj{})
}

func TestInterfaceIsNotNeededOn62ForGivenAddresses(t *testing.T) {
	t.Parallel()
	a := newAPI(t, WithVersion(V62))
	s, err := a.p.AddServer(Server{Built: true})
	require.NoError(t, err)
	a.want(204, "POST", serverPath(s.ID, "/ipv4"), obj{"ip": []string{"198.18.0.9"}})
	got, _ := a.p.Server(s.ID)
	assert.Len(t, got.IPv4, 2)
}

func TestWhatAServerHeldIsFreeWhenItIsGone(t *testing.T) {
	t.Parallel()
	a := newAPI(t, WithTiming(Timing{Delete: -1}))
	s, err := a.p.AddServer(Server{PackageID: PackageLarge, Built: true})
	require.NoError(t, err)
	free := func() any { return dig(a.get("/connectivity/ipblocks/201"), "data", "ipv4", "freeTotal") }
	before := free()
	a.want(200, "POST", serverPath(s.ID, "/ipv4Qty"), obj{"interface": "secondary", "quantity": 3})
	assert.InDelta(t, before.(float64)-3, free(), 0)
	a.want(204, "DELETE", serverPath(s.ID, "?delay=0"), nil)
	assert.InDelta(t, before.(float64)+1, free(), 0)
}

func TestNetworksSurviveASnapshot(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	s, err := a.p.AddServer(Server{PackageID: PackageMedium, Built: true})
	require.NoError(t, err)
	a.want(200, "POST", serverPath(s.ID, "/ipv4Qty"), obj{"interface": "primary", "quantity": 1})
	a.want(201, "POST", serverPath(s.ID, "/firewall/primary/rules"), obj{"rulesets": []int64{RulesetWeb}})
	a.want(201, "POST", serverPath(s.ID, "/traffic/blocks"), obj{"month": 1, "amount": 5})
	a.want(201, "POST", serverPath(s.ID, "/interfaces/primary/vlans"), obj{"vlanId": 7})
	made := a.want(201, "POST", "/connectivity/ipblocks", obj{"name": "abc", "type": 4})
	a.want(201, "POST", "/compute/hypervisors/11/ipblocks", obj{"blockId": dig(made, "data", "id")})
	a.want(200, "PUT", "/connectivity/ipv4/rdns", obj{"address": "198.18.0.2", "ptr": "A.example.com"})
	snapshot, err := a.p.Snapshot()
	require.NoError(t, err)

	b := newAPI(t)
	require.NoError(t, b.p.Restore(snapshot))
	for _, path := range []string{
		serverPath(s.ID, ""), serverPath(s.ID, "/firewall/primary"), serverPath(s.ID, "/traffic/blocks"), serverPath(s.ID, "/interfaces/primary/vlans"),
		"/connectivity/ipblocks", "/firewall/rulesets", "/compute/hypervisors/11", fmt.Sprintf("/dns/services/%d", DNSServiceMain),
	} {
		assert.Equal(t, a.get(path), b.get(path), path)
	}
	again, err := b.p.Snapshot()
	require.NoError(t, err)
	assert.JSONEq(t, string(snapshot), string(again))
}

func TestASnapshotWithHolesInItsNetworksIsRefused(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(*state){
		"an empty interface":      func(st *state) { put(&st.Net.Interfaces, 1, nil) },
		"an empty rule":           func(st *state) { put(&st.Net.Interfaces, 1, &iface{Rules: []*rule{nil}}) },
		"an address of no block":  func(st *state) { put(&st.Net.Interfaces, 1, &iface{IPv4: []address{{BlockID: 9}}}) },
		"an empty ruleset":        func(st *state) { put(&st.Net.Rulesets, 1, nil) },
		"settings of no block":    func(st *state) { put(&st.Net.Blocks, 9, &blockSettings{}) },
		"an empty network":        func(st *state) { put(&st.Net.Networks, 1, nil) },
		"an empty DNS service":    func(st *state) { put(&st.Net.DNSServices, 1, nil) },
		"an empty traffic block":  func(st *state) { put(&st.Net.TrafficBlocks, 1, nil) },
		"an empty group of block": func(st *state) { put(&st.Net.BlockGroups, 1, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := New(t)
			p.mu.Lock()
			damage(p.state)
			p.mu.Unlock()
			snapshot, err := p.Snapshot()
			require.NoError(t, err)
			require.Error(t, New(t).Restore(snapshot))
		})
	}
}

// TestNetworkAnswersHaveTheMembersOfTheVendorsExamples is TestAnswersHaveTheMembersOfTheVendorsExamples for networks.
func TestNetworkAnswersHaveTheMembersOfTheVendorsExamples(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(vendorExamples); err != nil {
		t.Skip("the reference folder is not present")
	}
	a := newAPI(t, WithVersion(V70))
	s, err := a.p.AddServer(Server{PackageID: PackageMedium, Built: true})
	require.NoError(t, err)
	a.want(201, "POST", serverPath(s.ID, "/traffic/blocks"), obj{"month": 2, "amount": 5})
	months := []string{".data.available.months"}
	for _, tt := range []struct {
		file       string
		got        obj
		more, less []string
	}{
		{"POST_servers_serverId_ipv4Qty.200.json", a.want(200, "POST", serverPath(s.ID, "/ipv4Qty"), obj{"interface": "primary", "quantity": 2}), nil, nil},
		{"GET_servers_serverId_traffic_blocks.200.json", a.get(serverPath(s.ID, "/traffic/blocks")), months, months},
		{"GET_connectivity_ipblocks.200.json", a.get("/connectivity/ipblocks"), nil, nil},
		{"GET_connectivity_ipblocks_blockId.200.json", a.get("/connectivity/ipblocks/201"), nil, nil},
		{"GET_dns_services_serviceId.200.json", a.get(fmt.Sprintf("/dns/services/%d", DNSServiceMain)), nil, nil},
	} {
		assert.Equal(t, []string(nil), compare(t, tt.file, tt.got, tt.more, tt.less), tt.file)
	}
}
