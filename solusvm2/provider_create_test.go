package solusvm2_test

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
	"github.com/hvpanels/hvpanels/solusvm2"
	"github.com/hvpanels/hvpanels/solusvm2/solusvm2test"
)

func (m *managed) ordered(c provisioning.Created) solusvm2test.ServerState {
	m.t.Helper()
	all := m.Servers()
	i := slices.IndexFunc(all, func(s solusvm2test.ServerState) bool { return text(s.ID) == string(c.ID) })
	require.GreaterOrEqual(m.t, i, 0)
	return all[i]
}

func TestACreationThatEndsBadlyTellsThePanelsReason(t *testing.T) {
	t.Parallel()
	for _, status := range []string{solusvm2test.TaskFailed, solusvm2test.TaskCanceled, solusvm2test.TaskDoneWithErrors} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, m *managed) {
				m.FailNext(solusvm2test.TaskCreate, status, "no space left on device")
				c, err := m.create(m.order("order-1"))
				require.NoError(t, err)
				err = m.wait(c.Operation)
				require.ErrorIs(t, err, provisioning.ErrTaskFailed)
				assert.ErrorContains(t, err, "no space left on device")
				assert.NotEmpty(t, c.ID)
			})
		})
	}
}

func TestACreationIsFollowedOnTheServerWhereTasksAreForbidden(t *testing.T) {
	t.Parallel()
	for _, fails := range []bool{false, true} {
		inBubble(t, func(t *testing.T, m *managed) {
			m.Forbid("getTask", "listTasks")
			if fails {
				m.FailNext(solusvm2test.TaskCreate, solusvm2test.TaskFailed, "no space left on device")
			}
			c, err := m.create(m.order("order-1"))
			require.NoError(t, err)
			err = m.wait(c.Operation)
			if !fails {
				require.NoError(t, err)
				require.True(t, m.ordered(c).Running)
				return
			}
			require.ErrorIs(t, err, provisioning.ErrTaskFailed)
			assert.ErrorContains(t, err, "not exist")
		})
	}
}

func TestTheFailureOfAnotherServerIsNotTakenForThisOne(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, m *managed) { // older nodes do not tell a task's server, and this one does not filter either
		m.FailNext(solusvm2test.TaskCreate, solusvm2test.TaskFailed, "no space left on device")
		bad, err := m.create(m.order("order-1"))
		require.NoError(t, err)
		require.ErrorIs(t, m.wait(bad.Operation), provisioning.ErrTaskFailed)
		m.use(func(next http.RoundTripper) http.RoundTripper {
			return transportFunc(func(r *http.Request) (*http.Response, error) {
				q := r.URL.Query()
				q.Del("filter[compute_resource_vm_id]")
				r = r.Clone(r.Context())
				r.URL.RawQuery = q.Encode()
				return next.RoundTrip(r)
			})
		})
		good, err := m.create(m.order("order-2"))
		require.NoError(t, err)
		require.NoError(t, m.wait(good.Operation))
	}, solusvm2test.WithOldShapes())
}

func TestTheKeyIsTheDescriptionOrInAProjectTheName(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, m *managed) {
		c, err := m.create(m.order("order-1"))
		require.NoError(t, err)
		s := m.ordered(c)
		assert.Equal(t, "order-1", s.Description)
		assert.Equal(t, "order-1.example.com", s.Name)
		assert.Equal(t, []string{"order-1.example.com"}, s.FQDNs)
		assert.Equal(t, m.owner, s.UserID)
		require.NoError(t, m.provider.Rename(t.Context(), c.ID, "shop.example.com"))
		again, err := m.create(m.order("order-1"))
		require.NoError(t, err)
		assert.Equal(t, c.ID, again.ID, "another name does not hide the key")
	})
	synctest.Test(t, func(t *testing.T) {
		p := newSimulated(t, true)
		c, err := provisioning.CreateOnce(t.Context(), p.Provider(nil), &provisioning.MemIntents{}, p.Order("order-1"), provisioning.CreateOptions{})
		require.NoError(t, err)
		all := p.Panel.Servers()
		require.Len(t, all, 1)
		assert.Equal(t, string(c.ID), text(all[0].ID))
		assert.Equal(t, "order-1", all[0].Name)
		assert.Empty(t, all[0].Description)
		assert.Equal(t, []string{"order-1.example.com"}, all[0].FQDNs)
	})
}

func TestAKeyIsFoundThoughTheRowsOfListsAreAbbreviated(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(row map[string]any){
		"to ids":                nil,
		"by their description":  func(row map[string]any) { delete(row, "description") },
		"by what is expensive":  func(row map[string]any) { delete(row, "description"); delete(row, "specifications") },
		"to a null description": func(row map[string]any) { row["description"] = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, m *managed) {
				if edit == nil {
					edit = func(row map[string]any) {
						for member := range row {
							if member != "id" && member != "uuid" && member != "name" {
								delete(row, member)
							}
						}
					}
				}
				m.use(editRows(edit))
				m.Inject(provisioningtest.Fault{Op: "createServer", Do: provisioningtest.CutAfter})
				c, err := m.create(m.order("order-1"))
				require.NoError(t, err)
				again, err := m.create(m.order("order-1"))
				require.NoError(t, err)
				assert.Equal(t, c.ID, again.ID)
				assert.Len(t, m.Servers(), 2, "the server that was there, and one order")
				assert.Equal(t, 1, m.Count("createServer"))
			})
		})
	}
}

func TestSingleResourcesOfAnOrderReplaceThePlans(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, m *managed) {
		r := m.order("order-1")
		r.Memory, r.Disk, r.VCPUs = provisioning.Some(3*provisioning.GiB), provisioning.Some(77*provisioning.GiB), provisioning.Some(3)
		c, err := m.create(r)
		require.NoError(t, err)
		s := m.ordered(c)
		assert.Equal(t, []int64{3072, 77, 3}, []int64{s.MemoryMiB, s.DiskGiB, s.VCPUs})
		assert.Contains(t, m.body("createServer"), `"ram":3221225472`)
		for field, spoil := range map[string]func(*provisioning.CreateRequest){
			"memory": func(r *provisioning.CreateRequest) { r.Memory = provisioning.Some(provisioning.MiB + 1) },
			"disk":   func(r *provisioning.CreateRequest) { r.Disk = provisioning.Some(provisioning.GiB + provisioning.MiB) },
			"native": func(r *provisioning.CreateRequest) { r.Native = 1 },
			"ipv4":   func(r *provisioning.CreateRequest) { r.IPv4 = 0 },
		} {
			r := m.order("order-2")
			spoil(&r)
			_, err := m.create(r)
			var e *provisioning.Error
			require.ErrorAs(t, err, &e, field)
			assert.Contains(t, e.Fields, field)
		}
		assert.Equal(t, 1, m.Count("createServer"))
	})
}

func TestAnOrderGetsTheAddressesItAsksFor(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		v4 int
		v6 bool
	}{"one IPv4": {1, false}, "three IPv4": {3, false}, "IPv6 only": {0, true}, "both": {2, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, m *managed) {
				r := m.order("order-1")
				r.IPv4, r.IPv6 = tt.v4, tt.v6
				c, err := m.create(r)
				require.NoError(t, err)
				s := m.ordered(c)
				assert.Len(t, s.IPv4, tt.v4)
				assert.Equal(t, tt.v6, len(s.IPv6) == 1)
				require.NoError(t, m.wait(c.Operation))
				i, err := m.provider.Instance(t.Context(), c.ID)
				require.NoError(t, err)
				assert.True(t, i.PrimaryAddress().IsValid())
			})
		})
	}
	synctest.Test(t, func(t *testing.T) { // a customer's order too is told about IPv6, and never gets less than it asks for in silence
		p := newSimulated(t, true)
		for i, tt := range []struct {
			v4   int
			v6   bool
			kind error
		}{{1, true, nil}, {0, true, nil}, {2, false, provisioning.Invalid}, {0, false, provisioning.Invalid}} {
			r := p.Order("order-" + text(int64(i)))
			r.IPv4, r.IPv6 = tt.v4, tt.v6
			c, err := provisioning.CreateOnce(t.Context(), p.Provider(nil), &provisioning.MemIntents{}, r, provisioning.CreateOptions{})
			if tt.kind != nil {
				require.ErrorIs(t, err, tt.kind)
				continue
			}
			require.NoError(t, err)
			for _, s := range p.Panel.Servers() {
				if text(s.ID) == string(c.ID) {
					assert.Len(t, s.IPv4, tt.v4)
					assert.Len(t, s.IPv6, 1)
				}
			}
		}
	})
}

func TestAnSSHKeyIsRegisteredOnce(t *testing.T) {
	t.Parallel()
	const one = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
	inBubble(t, func(t *testing.T, m *managed) {
		var keys [][]int64
		for i, texts := range [][]string{{one + " otto@laptop", one + " otto@desktop"}, {"  " + one + "  "}} {
			r := m.order("order-" + text(int64(i)))
			r.SSHKeys = texts
			c, err := m.create(r)
			require.NoError(t, err)
			require.NoError(t, m.wait(c.Operation))
			keys = append(keys, m.ordered(c).SSHKeyIDs)
		}
		assert.Len(t, keys[0], 1)
		assert.Equal(t, keys[0], keys[1])
		assert.Equal(t, 1, m.Count("createSSHKey"))
		_, err := m.provider.Rebuild(t.Context(), m.id, provisioning.RebuildRequest{Image: text(solusvm2test.VersionDebian12), SSHKeys: []string{one}})
		require.NoError(t, err)
		assert.Equal(t, 1, m.Count("createSSHKey"), "a reinstallation finds it too")
	})
	inBubble(t, func(t *testing.T, m *managed) {
		m.Inject(provisioningtest.Fault{Op: "createSSHKey", Do: provisioningtest.CutAfter})
		r := m.order("order-1")
		r.SSHKeys = []string{one}
		c, err := m.create(r)
		require.NoError(t, err)
		require.NoError(t, m.wait(c.Operation))
		assert.Len(t, m.ordered(c).SSHKeyIDs, 1)
		assert.Equal(t, 1, m.Count("createSSHKey"), "the key whose answer was lost is found")
	})
	inBubble(t, func(t *testing.T, m *managed) {
		m.Inject(provisioningtest.Fault{Op: "createSSHKey", Do: provisioningtest.CutBefore})
		r := m.order("order-1")
		r.SSHKeys = []string{one}
		intent, err := m.provider.PlanCreate(t.Context(), r)
		require.NoError(t, err)
		intent.SendBefore = time.Now().Add(time.Minute)
		_, err = m.provider.Create(t.Context(), r, intent)
		require.ErrorIs(t, err, provisioning.Unavailable)
		require.NotErrorIs(t, err, provisioning.ErrMaybeApplied, "the server was not asked for")
		assert.Zero(t, m.Count("createServer"))
	})
}

func TestAnOwnerIsFoundMadeOrRefused(t *testing.T) {
	t.Parallel()
	ann := provisioning.Owner{Ref: "777", Name: "Ann Example", Email: "ann@example.com"}
	for name, tt := range map[string]struct {
		owner  provisioning.Owner
		before func(m *managed)
		want   error
		users  int // beside the administrator and Otto
		found  bool
	}{
		"a new one is made":                                 {ann, nil, nil, 1, false},
		"one with the billing user id is found":             {provisioning.Owner{Ref: ownerRef}, nil, nil, 0, true},
		"one with the address and no billing id is taken":   {ann, func(m *managed) { m.AddUser(solusvm2test.User{Email: ann.Email}) }, nil, 1, true},
		"one with the address and another id is a conflict": {ann, func(m *managed) { m.AddUser(solusvm2test.User{Email: ann.Email, BillingUserID: "5"}) }, provisioning.Conflict, 1, false},
		"an administrator's address is a conflict":          {ann, func(m *managed) { m.AddUser(solusvm2test.User{Email: ann.Email, Admin: true}) }, provisioning.Conflict, 1, false},
		"two with the billing user id are a conflict":       {provisioning.Owner{Ref: ownerRef}, func(m *managed) { m.AddUser(solusvm2test.User{Email: "o@example.com", BillingUserID: ownerRef}) }, provisioning.Conflict, 1, false},
		"without an address none is made":                   {provisioning.Owner{Ref: "777"}, nil, provisioning.Invalid, 0, false},
		"without a reference none is looked for":            {provisioning.Owner{Email: ann.Email}, nil, provisioning.Invalid, 0, false},
		"one whose answer was lost is found":                {ann, fault("createUser", provisioningtest.CutAfter), nil, 1, true},
		"one that was cut off before is in doubt":           {ann, fault("createUser", provisioningtest.CutBefore), provisioning.ErrMaybeApplied, 0, false},
		"one who takes the id again after a lost answer is it": {ann, func(m *managed) {
			m.AddUser(solusvm2test.User{Email: ann.Email})
			fault("patchUser", provisioningtest.CutAfter)(m)
		}, nil, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, m *managed) {
				if tt.before != nil {
					tt.before(m)
				}
				account, err := m.provider.EnsureOwner(t.Context(), tt.owner)
				if tt.want != nil {
					require.ErrorIs(t, err, tt.want)
				} else {
					require.NoError(t, err)
					assert.Equal(t, tt.owner.Ref, account.Ref)
					assert.NotEmpty(t, account.ID)
					assert.Equal(t, !tt.found, account.Created)
					assert.Equal(t, !tt.found, account.Password != "")
					again, err := m.provider.FindOwner(t.Context(), tt.owner.Ref)
					require.NoError(t, err)
					assert.Equal(t, account.ID, again.ID)
				}
				users, err := m.client.Users.ListComplete(t.Context(), solusvm2.UserFilter{})
				require.NoError(t, err)
				assert.Len(t, users, 2+tt.users)
				assert.Empty(t, m.Mails())
			})
		})
	}
}

// before does something right before request number n of the provider.
func before(n int, do func()) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return transportFunc(func(r *http.Request) (*http.Response, error) {
			if n--; n == 0 {
				do()
			}
			return next.RoundTrip(r)
		})
	}
}

func TestAnOwnerWhomAnotherCallMakesAtTheSameMomentIsFound(t *testing.T) {
	t.Parallel()
	ann := provisioning.Owner{Ref: "777", Name: "Ann Example", Email: "ann@example.com"}
	for request, name := range map[int]string{2: "before the address is looked for", 3: "before the creation is sent"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, m *managed) {
				m.use(before(request, func() { m.AddUser(solusvm2test.User{Email: ann.Email, BillingUserID: "777"}) }))
				account, err := m.provider.EnsureOwner(t.Context(), ann)
				require.NoError(t, err)
				assert.Equal(t, "777", account.Ref)
				assert.False(t, account.Created)
			})
			inBubble(t, func(t *testing.T, m *managed) { // and the panel fails when it is looked for again
				m.use(before(request, func() {
					m.AddUser(solusvm2test.User{Email: ann.Email, BillingUserID: "777"})
					m.Inject(provisioningtest.Fault{Op: "listUsers", Do: provisioningtest.HTML, Status: 502, Times: 20})
				}))
				_, err := m.provider.EnsureOwner(t.Context(), ann)
				require.ErrorIs(t, err, provisioning.Unavailable, "it is not refused for good")
				m.Faults().Clear()
				account, err := m.provider.EnsureOwner(t.Context(), ann)
				require.NoError(t, err)
				assert.Equal(t, "777", account.Ref)
			})
		})
	}
}

func fault(op string, do provisioningtest.Action) func(m *managed) {
	return func(m *managed) { m.Inject(provisioningtest.Fault{Op: op, Do: do}) }
}
