package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
	"github.com/hvpanels/hvpanels/solusvm2"
	"github.com/hvpanels/hvpanels/solusvm2/solusvm2test"
)

func TestAnAdditionalAddressAndAMoveReachWHMCS(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.begin()
		r.subscribe()
		_, err := r.client.Servers.AddIPs(t.Context(), r.id(), solusvm2.AddIPsRequest{Count: 2})
		require.NoError(t, err)
		r.pass(6 * time.Second)
		r.inStep()
		dedicated, assigned := r.shows()
		assert.Equal(t, "198.18.0.2", dedicated)
		assert.Equal(t, "198.18.0.2\n198.18.0.3\n198.18.0.4\n2001:db8:a::1:1", assigned)

		_, err = r.panel.Migrate(r.server.ID, solusvm2test.NodeFrankfurt)
		require.NoError(t, err)
		r.pass(41 * time.Second)
		r.inStep()
		dedicated, _ = r.shows()
		assert.Equal(t, "198.18.32.2", dedicated)
		for _, d := range r.panel.Deliveries() {
			assert.Equal(t, http.StatusNoContent, d.Status, "the panel's task is done")
			assert.False(t, d.Failed)
		}
		assert.Equal(t, 2, r.whmcs.count(actionSetService), "one write for each change")
	})
}

func TestAnAddressThatIsRemovedIsRemovedInWHMCS(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.config.separator = ","
		r.begin()
		r.subscribe()
		_, err := r.client.Servers.AddIPs(t.Context(), r.id(), solusvm2.AddIPsRequest{Count: 1})
		require.NoError(t, err)
		r.pass(6 * time.Second)
		_, assigned := r.shows()
		assert.Equal(t, "198.18.0.2,198.18.0.3,2001:db8:a::1:1", assigned)
		server, err := r.client.Servers.Get(t.Context(), r.id())
		require.NoError(t, err)
		_, err = r.client.Servers.RemoveIPs(t.Context(), r.id(), solusvm2.RemoveIPsRequest{IDs: []solusvm2.IPAddressID{server.IPAddresses.IPv4[1].ID}})
		require.NoError(t, err)
		r.pass(6 * time.Second)
		_, assigned = r.shows()
		assert.Equal(t, "198.18.0.2,2001:db8:a::1:1", assigned)
	})
}

func TestOnlyThePanelIsHeard(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*http.Request)
		want   int
	}{
		"the secret": {func(*http.Request) {}, http.StatusNoContent},
		"the secret before it": {func(q *http.Request) {
			q.URL.RawQuery = strings.ReplaceAll(q.URL.RawQuery, plantedHook, plantedOldHook)
		}, http.StatusNoContent},
		"a wrong secret": {func(q *http.Request) {
			q.URL.RawQuery = strings.ReplaceAll(q.URL.RawQuery, plantedHook, "x"+plantedHook)
		}, http.StatusUnauthorized},
		"no secret":                {func(q *http.Request) { q.URL.RawQuery = strings.ReplaceAll(q.URL.RawQuery, "secret=", "s=") }, http.StatusUnauthorized},
		"another source":           {func(q *http.Request) { q.RemoteAddr = "192.0.2.16:40000" }, http.StatusForbidden},
		"a forwarded source":       {func(q *http.Request) { q.RemoteAddr = "192.0.2.16:1"; q.Header.Set("X-Forwarded-For", "192.0.2.10") }, http.StatusForbidden},
		"the source in IPv6 style": {func(q *http.Request) { q.RemoteAddr = "[::ffff:192.0.2.10]:40000" }, http.StatusNoContent},
		"GET":                      {func(q *http.Request) { q.Method = http.MethodGet }, http.StatusMethodNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.begin()
				assert.Equal(t, c.want, r.post(r.event(), c.change))
				if c.want == http.StatusNoContent {
					r.pass(time.Second)
					r.inStep()
					return
				}
				r.waiting(0, 0)
				r.pass(time.Minute)
				assert.Zero(t, r.panel.Count("getServer"), "nothing was looked at")
				assert.Zero(t, r.whmcs.count(actionGetService))
			})
		})
	}
}

func TestWhatCannotBeStoredIsRefusedAndThePanelsTaskFails(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.begin()
		r.subscribe()
		require.NoError(t, os.RemoveAll(r.inbox.waiting))
		assert.Equal(t, http.StatusServiceUnavailable, r.post(r.event()))
		_, err := r.client.Servers.AddIPs(t.Context(), r.id(), solusvm2.AddIPsRequest{Count: 1})
		require.NoError(t, err)
		r.pass(6 * time.Second)
		calls := r.panel.Deliveries()
		require.Len(t, calls, 1)
		assert.True(t, calls[0].Failed)
		assert.Equal(t, "The receiver answered 503.", calls[0].Reason)
		assert.Contains(t, r.log.String(), "webhook not stored")

		require.NoError(t, os.Mkdir(r.inbox.waiting, 0o700))
		assert.Equal(t, http.StatusNoContent, r.post(r.event()), "when the disk is back, so is the receiver")
		r.pass(time.Second)
		r.inStep()
	})
}

func TestThePanelIsAnsweredAtOnceWhateverWHMCSDoes(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.whmcs.interrupt = func(http.ResponseWriter, string) bool {
			time.Sleep(20 * time.Second)
			return false
		}
		r.begin()
		began := time.Now()
		for range 10 {
			assert.Equal(t, http.StatusNoContent, r.post(r.event()))
		}
		assert.Zero(t, time.Since(began))
		r.pass(5 * time.Minute)
		r.inStep()
	})
}

func TestANotificationWithoutAServerIsAcceptedAndIgnored(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.begin()
		assert.Equal(t, http.StatusNoContent, r.post(solusvm2.Event{UserEmail: "ann@example.com"}))
		r.waiting(0, 0)
		assert.Contains(t, r.log.String(), "a notification without a server was ignored")
	})
}

func TestDuplicateAndReorderedNotificationsEndInTheTruth(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.whmcs.interrupt = func(http.ResponseWriter, string) bool {
			time.Sleep(2 * time.Second)
			return false
		}
		r.begin()
		for i := range 20 { // the last one to arrive tells an old list
			e := r.event()
			e.ServerIPs = provisioning.Some([]netip.Addr{netip.AddrFrom4([4]byte{198, 51, 100, byte(20 - i)})})
			assert.Equal(t, http.StatusNoContent, r.post(e))
		}
		r.pass(20 * time.Second)
		r.inStep()
		assert.Equal(t, 1, r.whmcs.count(actionSetService), "twenty notifications are one write")
		assert.Equal(t, 2, strings.Count(r.log.String(), "notifications="), "and two looks: what came during the first one is served by the second")
		for range 3 {
			assert.Equal(t, http.StatusNoContent, r.post(r.event()))
			r.pass(10 * time.Second)
		}
		r.inStep()
		assert.Equal(t, 1, r.whmcs.count(actionSetService), "later duplicates write nothing")
	})
}

func TestANotificationThatArrivesDuringALookIsServedByAnotherLook(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		var looks atomic.Int64
		r.whmcs.interrupt = func(_ http.ResponseWriter, action string) bool {
			if action == actionGetService && looks.Add(1) == 1 { // the panel has been read; now its server changes
				_, err := r.client.Servers.AddIPs(t.Context(), r.id(), solusvm2.AddIPsRequest{Count: 1})
				assert.NoError(t, err)
				time.Sleep(10 * time.Second)
				assert.Equal(t, http.StatusNoContent, r.post(r.event()))
			}
			return false
		}
		r.begin()
		assert.Equal(t, http.StatusNoContent, r.post(r.event()))
		r.pass(15 * time.Second)
		r.inStep()
		_, assigned := r.shows()
		assert.Contains(t, assigned, "198.18.0.3")
	})
}

func TestANotificationThatArrivesDuringAFailingLookIsNotHeldBack(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		var down atomic.Bool
		r.whmcs.interrupt = func(w http.ResponseWriter, _ string) bool {
			time.Sleep(5 * time.Second)
			if down.Load() {
				w.WriteHeader(http.StatusInternalServerError)
			}
			return down.Load()
		}
		down.Store(true)
		r.begin()
		assert.Equal(t, http.StatusNoContent, r.post(r.event()))
		r.pass(10 * time.Minute) // pauses are a minute by now
		for looks := r.panel.Count("getServer"); r.panel.Count("getServer") == looks; {
			r.pass(time.Second)
		}
		r.pass(time.Second)
		assert.Equal(t, http.StatusNoContent, r.post(r.event()))
		r.pass(5 * time.Second) // that look has failed, another one runs
		down.Store(false)
		r.pass(20 * time.Second) // three calls of five seconds
		r.inStep()
	})
}

func TestNotificationsComeBeforeComparisons(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		all := links{r.id(): {Service: testService}}
		for i := range 60 {
			all[solusvm2.ServerID(i+1)] = link{Service: serviceID(i + 1)} // of lower ids, and gone
			r.whmcs.add(serviceID(i+1), "Terminated", "", "")
		}
		r.link(all)
		r.config.resync = time.Hour
		r.whmcs.interrupt = func(http.ResponseWriter, string) bool {
			time.Sleep(10 * time.Second)
			return false
		}
		r.begin()
		r.pass(5 * time.Second)
		assert.Equal(t, http.StatusNoContent, r.post(r.event()))
		r.pass(40 * time.Second) // 10 until one of the four looks ends, and three calls
		r.inStep()
		assert.Less(t, r.whmcs.count(actionGetService), 30, "the others are not through yet")
	})
}

func TestThePanelMayCallBeforeItsChange(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.begin()
		assert.Equal(t, http.StatusNoContent, r.post(r.event()))
		r.pass(10 * time.Second)
		_, err := r.client.Servers.AddIPs(t.Context(), r.id(), solusvm2.AddIPsRequest{Count: 1})
		require.NoError(t, err)
		r.pass(25 * time.Second)
		r.inStep("the server was looked at once more")
		_, assigned := r.shows()
		assert.Contains(t, assigned, "198.18.0.3")
		looks := r.panel.Count("getServer")
		r.pass(time.Hour)
		assert.Equal(t, looks, r.panel.Count("getServer"), "and then no more")
	})
}

func TestAServerThatThePanelIsWorkingOnIsLookedAtAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.begin()
		_, err := r.client.Servers.AddIPs(t.Context(), r.id(), solusvm2.AddIPsRequest{Count: 1})
		require.NoError(t, err)
		r.pass(2 * time.Second)
		assert.Equal(t, http.StatusNoContent, r.post(r.event()))
		r.pass(time.Second)
		assert.Zero(t, r.whmcs.count(actionSetService))
		r.waiting(1, 0)
		r.pass(10 * time.Second)
		r.inStep()
		assert.Equal(t, 1, r.whmcs.count(actionSetService))
	})
}

func TestOutagesPass(t *testing.T) {
	for name, outage := range map[string]func(http.ResponseWriter, string) bool{
		"WHMCS is in maintenance": func(w http.ResponseWriter, _ string) bool {
			_, _ = fmt.Fprint(w, "<html>Down for Maintenance</html>")
			return true
		},
		"WHMCS answers 503": func(w http.ResponseWriter, _ string) bool {
			w.Header().Set("Retry-After", "86400")
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		},
		"WHMCS answers 500": func(w http.ResponseWriter, _ string) bool {
			w.WriteHeader(http.StatusInternalServerError)
			return true
		},
		"connections break":          cut,
		"the credential is wrong":    refuse(http.StatusForbidden, "Authentication Failed"),
		"the permission is missing":  refuse(http.StatusOK, `Invalid Permissions: API action "getclientsproducts" is not allowed`),
		"our address is not allowed": refuse(http.StatusForbidden, "Invalid IP 192.0.2.77"),
		"the answer is another shape": func(w http.ResponseWriter, _ string) bool {
			_, _ = fmt.Fprint(w, `{"result":"success","products":7}`)
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				var down atomic.Bool
				down.Store(true)
				r.whmcs.interrupt = func(w http.ResponseWriter, action string) bool { return down.Load() && outage(w, action) }
				r.begin()
				assert.Equal(t, http.StatusNoContent, r.post(r.event()))
				r.pass(3 * time.Hour)
				r.waiting(1, 0)
				looks := r.panel.Count("getServer")
				assert.Greater(t, looks, 90, "it goes on trying")
				assert.Less(t, looks, 300, "patiently")
				down.Store(false)
				r.pass(2 * time.Minute)
				r.inStep()
				assert.Equal(t, 1, r.whmcs.count(actionSetService))
			})
		})
	}
	t.Run("the panel is down", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			r.panel.Inject(provisioningtest.Fault{Op: "getServer", Do: provisioningtest.Answer, Status: http.StatusBadGateway, Times: 40})
			r.begin()
			assert.Equal(t, http.StatusNoContent, r.post(r.event()))
			r.pass(time.Minute)
			r.waiting(1, 0)
			r.pass(time.Hour)
			r.inStep()
		})
	})
	t.Run("the panel's token is wrong", func(t *testing.T) {
		inBubble(t, func(t *testing.T, r *rig) {
			r.panel.Forbid("getServer")
			r.begin()
			assert.Equal(t, http.StatusNoContent, r.post(r.event()))
			r.pass(time.Hour)
			r.waiting(1, 0)
			assert.Zero(t, r.whmcs.count(actionGetService))
		})
	})
}

func refuse(status int, message string) func(http.ResponseWriter, string) bool {
	return func(w http.ResponseWriter, _ string) bool {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(refusal(message))
		return true
	}
}

func TestAWriteWhoseAnswerIsLostIsLookedAtAndNotFeared(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		var lost atomic.Int64
		r.whmcs.interrupt = func(_ http.ResponseWriter, action string) bool {
			if action != actionSetService || lost.Add(1) > 6 {
				return false
			}
			r.whmcs.mu.Lock()
			for name, value := range map[string]string{"dedicatedip": "198.18.0.2", "assignedips": "198.18.0.2\r\n2001:DB8:A::1:1"} {
				r.whmcs.services[testService].Fields[name] = value // it was carried out
			}
			r.whmcs.mu.Unlock()
			panic(http.ErrAbortHandler)
		}
		r.begin()
		assert.Equal(t, http.StatusNoContent, r.post(r.event()))
		r.pass(time.Minute)
		r.inStep()
		assert.EqualValues(t, 4, lost.Load(), "the attempts of one call; the next look saw what they had done")
	})
}

func TestWhatAnotherTryDoesNotCureIsKeptForAPerson(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(*rig)
		want    string
	}{
		"the server is not in the map": {func(r *rig) { r.link(links{7: {Service: 7}}) }, "server 101 is not in the map: add it, and its service in WHMCS"},
		"WHMCS has no such service":    {func(r *rig) { r.link(links{r.id(): {Service: 5}}) }, "WHMCS has no service 5: correct the map"},
		"the server is gone and sold":  {func(r *rig) { r.gone() }, "the panel has no server 101, but service 1001 in WHMCS is Active: nothing was changed"},
		"the map means another server": {
			func(r *rig) {
				r.link(links{r.id(): {Service: testService, UUID: "7b0c6f4e-5f5e-4c55-9d5f-0a4d6a2d6b11"}})
			},
			", the map says 7b0c6f4e-5f5e-4c55-9d5f-0a4d6a2d6b11: nothing was changed",
		},
		"WHMCS refuses the update": {
			func(r *rig) {
				r.whmcs.interrupt = func(w http.ResponseWriter, action string) bool {
					return action == actionSetService && refuse(http.StatusOK, "Service ID\nNot Found for "+plantedSecret)(w, action)
				}
			},
			`whmcs: UpdateClientProduct: "Service ID Not Found for [secret]" (HTTP 200)`,
		},
		"WHMCS accepts and does not change": {
			func(r *rig) {
				r.whmcs.interrupt = func(w http.ResponseWriter, action string) bool {
					if action == actionSetService {
						_ = json.NewEncoder(w).Encode(map[string]string{"result": "success", "serviceid": "1001"})
					}
					return action == actionSetService
				}
			},
			`WHMCS accepted the addresses of service 1001, but shows "203.0.113.99" and ["203.0.113.99"]`,
		},
		"the server has no IPv4 address and IPv6 is not wanted": {
			func(r *rig) {
				r.config.ipv6 = false
				r.panel.Inject(withAddresses(r, `{"ipv4":[],"ipv6":[{"id":1,"range":"2001:db8:a::/64","primary_ip":"2001:db8:a::1","is_primary":true}]}`))
			},
			"the panel shows no address of server 101 that could be written",
		},
		"the server has no address at all": {
			func(r *rig) { r.panel.Inject(withAddresses(r, `[]`)) }, "service 1001 was not cleared, which -clear would do",
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				c.prepare(r)
				r.begin()
				for range 3 {
					assert.Equal(t, http.StatusNoContent, r.post(r.event()))
				}
				r.pass(time.Second)
				r.waiting(0, 1)
				assert.Contains(t, r.reason(), c.want)
				told := strings.Count(r.log.String(), "waits for a person")
				assert.Positive(t, told)
				dedicated, assigned := r.shows()
				assert.Equal(t, "203.0.113.99 203.0.113.99", dedicated+" "+assigned, "nothing was changed")
				r.pass(time.Hour)
				r.waiting(0, 1)
				assert.Equal(t, told, strings.Count(r.log.String(), "waits for a person"), "it is told once")
			})
		})
	}
}

// gone lets the panel delete the server.
func (r *rig) gone() {
	_, err := r.client.Servers.Delete(r.t.Context(), r.id())
	require.NoError(r.t, err)
	r.pass(10 * time.Second)
}

// withAddresses lets the panel show other addresses of the server.
func withAddresses(r *rig, addresses string) provisioningtest.Fault {
	body := fmt.Sprintf(`{"data":{"id":%d,"uuid":%q,"name":"vps","is_processing":false,"ip_addresses":%s}}`, r.server.ID, r.server.UUID, addresses)
	return provisioningtest.Fault{Op: "getServer", Do: provisioningtest.Answer, Status: http.StatusOK, Body: body, Times: -1}
}

func TestAServerThatIsGoneWithItsServiceNeedsNobody(t *testing.T) {
	for _, status := range []string{"Terminated", "Cancelled", "Fraud"} {
		t.Run(status, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				r.whmcs.add(testService, status, "203.0.113.99", "203.0.113.99")
				r.gone()
				r.begin()
				assert.Equal(t, http.StatusNoContent, r.post(r.event()))
				r.pass(time.Second)
				r.waiting(0, 0)
				assert.Zero(t, r.whmcs.count(actionSetService))
				assert.Contains(t, r.log.String(), "the server is gone, and its service in WHMCS is "+status)
			})
		})
	}
}

func TestANotificationAboutAnotherUUIDChangesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.begin()
		e := r.event()
		e.ServerUUID = "00000000-0000-4000-8000-000000000000"
		assert.Equal(t, http.StatusNoContent, r.post(e), "it is stored; what it is worth is found out later")
		r.pass(time.Second)
		r.waiting(0, 1)
		assert.Contains(t, r.reason(), `the notification says "00000000-0000-4000-8000-000000000000": nothing was changed`)
		assert.Zero(t, r.whmcs.count(actionSetService))

		assert.Equal(t, http.StatusNoContent, r.post(r.event()))
		r.pass(time.Second)
		r.inStep("a later one about the right server settles the matter")
	})
}

func TestWhatWaitsForAPersonIsTriedAgainWhenAsked(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.link(links{})
		r.begin()
		assert.Equal(t, http.StatusNoContent, r.post(r.event()))
		r.pass(time.Second)
		r.waiting(0, 1)
		r.link(links{r.id(): {Service: testService}})
		n, err := r.inbox.retry(func(solusvm2.ServerID) bool { return true })
		require.NoError(t, err)
		assert.Equal(t, 1, n)
		r.pass(2 * time.Second)
		r.inStep()
	})
}

func TestAServerThatFailsAgainKeepsItsNotificationAndItsTime(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.link(links{r.id(): {Service: 5}})
		r.config.resync = time.Hour
		r.begin()
		assert.Equal(t, http.StatusNoContent, r.post(r.event()))
		r.pass(time.Second)
		first, err := r.inbox.failures()
		require.NoError(t, err)
		require.Len(t, first, 1)
		r.pass(5 * time.Hour)
		later, err := r.inbox.failures()
		require.NoError(t, err)
		assert.Equal(t, first, later)
		assert.Equal(t, eventTag, later[0].Event.Tag())
	})
}

func TestClearingIsAskedForWithUnset(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.config.clear = true
		f := withAddresses(r, `{"ipv4":[],"ipv6":[]}`)
		f.Times = 2 // the look, and the one after it
		r.panel.Inject(f)
		r.begin()
		assert.Equal(t, http.StatusNoContent, r.post(r.event()))
		r.pass(time.Minute)
		dedicated, assigned := r.shows()
		assert.Empty(t, dedicated+assigned, "the simulated WHMCS changes nothing for an empty value")
		assert.Equal(t, 1, r.whmcs.count(actionSetService))
		r.waiting(0, 0)
	})
}

func TestWithoutIPv6ItsAddressesAreLeftOut(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.config.ipv6 = false
		r.begin()
		assert.Equal(t, http.StatusNoContent, r.post(r.event()))
		r.pass(time.Second)
		dedicated, assigned := r.shows()
		assert.Equal(t, "198.18.0.2 198.18.0.2", dedicated+" "+assigned)
	})
}

func TestEveryServerOfTheMapIsComparedAtTheStartAndLater(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.config.resync = 6 * time.Hour
		all := links{r.id(): {Service: testService}, 9999: {Service: 3}}
		r.whmcs.add(3, "Terminated", "", "")
		for i := range 30 {
			s, err := r.panel.AddServer(solusvm2test.Server{Name: fmt.Sprintf("vps-%d.example.com", i)})
			require.NoError(t, err)
			all[solusvm2.ServerID(s.ID)] = link{Service: serviceID(2000 + i)}
			r.whmcs.add(serviceID(2000+i), "Active", "", "")
		}
		r.link(all)
		r.begin()
		r.pass(time.Minute)
		r.inStep("nobody has called")
		assert.Equal(t, 31, r.whmcs.count(actionSetService))
		assert.Equal(t, "198.18.0.32", r.whmcs.field(2029, "dedicatedip"))

		r.pass(6 * time.Hour)
		assert.Equal(t, 31, r.whmcs.count(actionSetService), "the second time nothing differs, and nothing is written")
		r.whmcs.add(2000, "Active", "edited by hand", "10.0.0.1")
		r.pass(6 * time.Hour)
		assert.Equal(t, "198.18.0.3", r.whmcs.field(2000, "dedicatedip"))
		assert.Equal(t, 32, r.whmcs.count(actionSetService))
	})
}

func TestWhatWasStoredIsServedByTheNextRun(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		var down atomic.Bool
		down.Store(true)
		r.whmcs.interrupt = func(w http.ResponseWriter, action string) bool { return down.Load() && cut(w, action) }
		r.begin()
		assert.Equal(t, http.StatusNoContent, r.post(r.event()))
		r.pass(time.Minute)
		r.stop()
		require.NoError(t, os.WriteFile(r.inbox.waiting+"/.101-1-x.json.123", []byte(`{"rece`), 0o600))        // what a crash leaves
		require.NoError(t, os.WriteFile(r.inbox.waiting+"/101-1-CORRUPT.json", []byte("\x00\x00\x00"), 0o600)) // what a broken disk leaves
		down.Store(false)
		r.begin()
		r.pass(time.Second)
		r.inStep()
		left, err := os.ReadDir(r.inbox.waiting)
		require.NoError(t, err)
		assert.Empty(t, left)
	})
}

func TestAStateFolderIsNotSharedByTwoRuns(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.begin()
		r.pass(time.Hour)
		_, err := r.config.open(t.Context(), settings{panel: r.client, events: r.events}, nil)
		require.ErrorContains(t, err, "is in use by another run")
	})
}
