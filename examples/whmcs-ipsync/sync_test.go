package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/solusvm2"
)

func TestWantedAddresses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		addresses string // as the panel writes them
		ipv6      bool
		want      record
	}{
		"one": {`{"ipv4":[{"ip":"192.0.2.1","is_primary":true,"netmask":"255.255.255.0"}]}`, true, record{"192.0.2.1", []string{"192.0.2.1"}}},
		"the primary one first": {
			`{"ipv4":[{"ip":"192.0.2.9"},{"ip":"192.0.2.1","is_primary":true},{"ip":"192.0.2.5"}]}`, true,
			record{"192.0.2.1", []string{"192.0.2.1", "192.0.2.9", "192.0.2.5"}},
		},
		"IPv4 before IPv6": {
			`{"ipv4":[{"ip":"192.0.2.1","is_primary":true}],"ipv6":[{"range":"2001:db8:2::/64","primary_ip":"2001:db8:2::2"},
				{"range":"2001:db8:1::/64","primary_ip":"2001:db8:1::1","is_primary":true}]}`,
			true, record{"192.0.2.1", []string{"192.0.2.1", "2001:db8:1::1", "2001:db8:2::2"}},
		},
		"IPv6 not wanted": {
			`{"ipv4":[{"ip":"192.0.2.1"}],"ipv6":[{"range":"2001:db8:1::/64","primary_ip":"2001:db8:1::1"}]}`, false, record{"192.0.2.1", []string{"192.0.2.1"}},
		},
		"IPv6 alone": {`{"ipv6":{"range":"2001:db8:1::/64","primary_ip":"2001:db8:1::1"}}`, true, record{"2001:db8:1::1", []string{"2001:db8:1::1"}}},
		"an IPv6 network without an address": {
			`{"ipv4":[{"ip":"192.0.2.1"}],"ipv6":[{"range":"2001:db8:1::/64"}]}`, true, record{"192.0.2.1", []string{"192.0.2.1", "2001:db8:1::/64"}},
		},
		"none": {`[]`, true, record{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var server solusvm2.Server
			require.NoError(t, json.Unmarshal([]byte(`{"id":1,"ip_addresses":`+c.addresses+`}`), &server))
			assert.Equal(t, c.want, wanted(&server, c.ipv6))
		})
	}
}

func TestRecordsAreComparedByWhatTheyMean(t *testing.T) {
	t.Parallel()
	want := record{"192.0.2.1", []string{"192.0.2.1", "192.0.2.2", "2001:db8::1"}}
	for name, c := range map[string]struct {
		dedicated, assigned string
		same                bool
	}{
		"lines":              {"192.0.2.1", "192.0.2.1\n192.0.2.2\n2001:db8::1", true},
		"lines of a browser": {"192.0.2.1", "192.0.2.1\r\n192.0.2.2\r\n2001:db8::1\r\n", true},
		"commas":             {" 192.0.2.1 ", "192.0.2.1,192.0.2.2, 2001:db8::1", true},
		"another order":      {"192.0.2.1", "2001:db8::1 192.0.2.2 192.0.2.1", true},
		"one of them twice":  {"192.0.2.1", "192.0.2.1,192.0.2.1,192.0.2.2,2001:db8::1", true},
		"another spelling":   {"::ffff:192.0.2.1", "192.0.2.1,192.0.2.2,2001:0DB8:0::0:1", true},
		"one less":           {"192.0.2.1", "192.0.2.1,192.0.2.2", false},
		"one more":           {"192.0.2.1", "192.0.2.1,192.0.2.2,2001:db8::1,192.0.2.3", false},
		"another dedicated":  {"192.0.2.2", "192.0.2.1,192.0.2.2,2001:db8::1", false},
		"nothing":            {"", "", false},
		"a note of somebody": {"192.0.2.1", "192.0.2.1,192.0.2.2,2001:db8::1,unused", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.same, same(recordOf(service{DedicatedIP: text(c.dedicated), AssignedIPs: text(c.assigned)}), want))
		})
	}
}

func TestOnlyTheFieldThatDiffersIsWritten(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.whmcs.add(testService, "Active", "198.18.0.2", "198.18.0.2 10.0.0.1")
		r.begin()
		var sent []string
		r.worker.sync = func() syncFunc {
			s := &syncer{panel: r.client, services: r.services, separator: "\n", ipv6: true}
			var err error
			s.whmcs, err = newWHMCS("https://billing.example.com", credentials, formKeys(r.whmcs, &sent))
			require.NoError(t, err)
			return s.sync
		}()
		assert.Equal(t, 204, r.post(r.event()))
		r.pass(1e9)
		r.inStep()
		assert.Contains(t, sent, "UpdateClientProduct: accesskey action assignedips identifier responsetype secret serviceid")
	})
}
