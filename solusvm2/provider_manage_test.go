package solusvm2_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
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

// managed is a panel with an administrator's provider, a customer, and a server of his that runs.
type managed struct {
	*solusvm2test.Panel
	t        *testing.T
	client   *solusvm2.Client
	provider *solusvm2.Provider
	owner    int64
	server   int64
	id       provisioning.ID
	log      *bytes.Buffer
}

// inBubble runs a test with a panel in a bubble of its own.
func inBubble(t *testing.T, test func(*testing.T, *managed), opts ...solusvm2test.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := solusvm2test.New(t, opts...)
		m := &managed{Panel: p, t: t, log: &bytes.Buffer{}, owner: p.AddUser(solusvm2test.User{Email: "otto@example.com", BillingUserID: ownerRef})}
		s, err := p.AddServer(solusvm2test.Server{UserID: m.owner, Name: "vps.example.com", Description: "web-1", IPv6: true})
		require.NoError(t, err)
		m.server, m.id = s.ID, provisioning.ID(text(s.ID))
		m.use(nil)
		test(t, m)
	})
}

// use makes the provider anew, with something around its transport.
func (m *managed) use(wrap func(http.RoundTripper) http.RoundTripper) {
	m.t.Helper()
	transport := m.Transport()
	if wrap != nil {
		transport = wrap(transport)
	}
	logger := slog.New(slog.NewTextHandler(m.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c, err := solusvm2.New(m.URL(), m.Token(), solusvm2.WithHTTPClient(&http.Client{Transport: transport}), solusvm2.WithLogger(logger))
	require.NoError(m.t, err)
	m.client, m.provider = c, solusvm2.NewProvider(c, solusvm2.ProviderOptions{})
}

// view is the truth about the server.
func (m *managed) view() solusvm2test.ServerState {
	m.t.Helper()
	s, ok := m.Server(m.server)
	require.True(m.t, ok)
	return s
}

// wait waits five minutes of the bubble's time at most.
func (m *managed) wait(op *provisioning.Operation) error {
	ctx, cancel := context.WithTimeout(m.t.Context(), 5*time.Minute)
	defer cancel()
	return op.Wait(ctx, provisioning.WaitOptions{})
}

func (m *managed) order(key string) provisioning.CreateRequest {
	return provisioning.CreateRequest{Key: key, Hostname: key + ".example.com", Plan: text(solusvm2test.PlanSmall), Image: text(solusvm2test.VersionDebian12),
		Owner: provisioning.Owner{Ref: ownerRef}, IPv4: 1}
}

func (m *managed) create(r provisioning.CreateRequest) (provisioning.Created, error) {
	return provisioning.CreateOnce(m.t.Context(), m.provider, &provisioning.MemIntents{}, r, provisioning.CreateOptions{})
}

// body is the last body that was sent to an operation.
func (m *managed) body(op string) string {
	var last string
	for _, r := range m.Requests() {
		if r.Op == op {
			last = string(r.Body)
		}
	}
	return last
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// editing changes the JSON of the answers to requests with that method and end of the path.
func editing(method, suffix string, edit func(answer map[string]any)) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return transportFunc(func(r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err != nil || r.Method != method || !strings.HasSuffix(r.URL.Path, suffix) {
				return resp, err
			}
			var answer map[string]any
			err = json.NewDecoder(resp.Body).Decode(&answer)
			_ = resp.Body.Close()
			if err != nil {
				return nil, err
			}
			edit(answer)
			text, err := json.Marshal(answer)
			resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
			resp.Header.Del("Content-Length")
			return resp, err
		})
	}
}

// editRows changes the rows of a list of servers.
func editRows(edit func(row map[string]any)) func(http.RoundTripper) http.RoundTripper {
	return editing(http.MethodGet, "/servers", func(answer map[string]any) {
		for _, row := range answer["data"].([]any) {
			edit(row.(map[string]any))
		}
	})
}

func TestOperationsAreFollowedOnTheServerWhereTasksAreForbidden(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		do   func(ctx context.Context, p *solusvm2.Provider, id provisioning.ID) (*provisioning.Operation, error)
		well func(s solusvm2test.ServerState) bool
	}{
		"power off": {func(ctx context.Context, p *solusvm2.Provider, id provisioning.ID) (*provisioning.Operation, error) {
			return p.PowerOff(ctx, id)
		},
			func(s solusvm2test.ServerState) bool { return !s.Running }},
		"suspend": {func(ctx context.Context, p *solusvm2.Provider, id provisioning.ID) (*provisioning.Operation, error) {
			return p.Suspend(ctx, id, "")
		},
			func(s solusvm2test.ServerState) bool { return s.Suspended }},
		"a reinstallation, whose server shows the old state for a moment": {
			func(ctx context.Context, p *solusvm2.Provider, id provisioning.ID) (*provisioning.Operation, error) {
				r, err := p.Rebuild(ctx, id, provisioning.RebuildRequest{Image: text(solusvm2test.VersionDebian12)})
				return r.Operation, err
			},
			func(s solusvm2test.ServerState) bool { return s.Builds == 2 && s.Running }},
		"a resize": {func(ctx context.Context, p *solusvm2.Provider, id provisioning.ID) (*provisioning.Operation, error) {
			return p.Resize(ctx, id, provisioning.ResizeRequest{VCPUs: provisioning.Some(3)})
		}, func(s solusvm2test.ServerState) bool { return s.VCPUs == 3 }},
	} {
		for _, resumed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, resumed %v", name, resumed), func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(t *testing.T, m *managed) {
					m.Forbid("getTask", "listTasks")
					op, err := tt.do(t.Context(), m.provider, m.id)
					require.NoError(t, err)
					if resumed {
						op, err = m.provider.OpenOperation(op.Ref())
						require.NoError(t, err)
					}
					look, err := op.Look(t.Context())
					require.NoError(t, err)
					assert.False(t, look.Done, "the server has not begun")
					require.NoError(t, m.wait(op))
					assert.False(t, m.view().Busy)
					assert.True(t, tt.well(m.view()), "%+v", m.view())
				})
			})
		}
	}
}

func TestATaskThatThePanelForgotIsFollowedOnTheServer(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, m *managed) {
		op, err := m.provider.OpenOperation("task/" + string(m.id) + "/999999/" + strconv.FormatInt(time.Now().Unix(), 10))
		require.NoError(t, err)
		require.NoError(t, m.wait(op))
		assert.Positive(t, m.Count("getServer"))
	})
}

func TestAServerThatBrokeIsAFailureAlsoWhereTasksAreForbidden(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, m *managed) {
		m.Forbid("getTask", "listTasks")
		op, err := m.provider.Restart(t.Context(), m.id)
		require.NoError(t, err)
		m.SetState(m.server, "not exist")
		require.ErrorIs(t, m.wait(op), provisioning.ErrTaskFailed)
	})
}

func TestAReinstallationIsNotDoneWhileTheOldStateIsShown(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, m *managed) {
		r, err := m.provider.Rebuild(t.Context(), m.id, provisioning.RebuildRequest{Image: text(solusvm2test.VersionDebian12)})
		require.NoError(t, err)
		i, err := m.provider.Instance(t.Context(), m.id)
		require.NoError(t, err)
		require.Equal(t, provisioning.StateOnline, i.State(), "the stale state that makes this worth a test")
		look, err := r.Look(t.Context())
		require.NoError(t, err)
		assert.False(t, look.Done)
		began := time.Now()
		require.NoError(t, m.wait(r.Operation))
		assert.GreaterOrEqual(t, time.Since(began), 29*time.Second)
	})
}

func TestAnActionThatEndsBadlyTellsThePanelsReason(t *testing.T) {
	t.Parallel()
	for _, status := range []string{solusvm2test.TaskFailed, solusvm2test.TaskCanceled, solusvm2test.TaskDoneWithErrors} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, m *managed) {
				m.FailNext(solusvm2test.TaskStop, status, "the domain is locked")
				op, err := m.provider.PowerOff(t.Context(), m.id)
				require.NoError(t, err)
				err = m.wait(op)
				require.ErrorIs(t, err, provisioning.ErrTaskFailed)
				assert.ErrorContains(t, err, "the domain is locked")
			})
		})
	}
}

func TestANewPasswordIsAnnouncedWhenItIsGood(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, m *managed) {
		reset, err := m.provider.ResetRootPassword(t.Context(), m.id, provisioning.PasswordOptions{})
		require.NoError(t, err)
		require.NotEqual(t, m.view().Password, reset.Password, "its task has not ended")
		require.NoError(t, m.wait(reset.Operation))
		assert.Equal(t, m.view().Password, reset.Password)
		assert.Empty(t, m.Mails())
		_, err = m.provider.ResetRootPassword(t.Context(), m.id, provisioning.PasswordOptions{User: "otto"})
		require.ErrorIs(t, err, provisioning.Invalid)
	})
}

func TestSingleResourcesChangeAndTheOthersStay(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, m *managed) {
		before := m.view()
		op, err := m.provider.Resize(t.Context(), m.id, provisioning.ResizeRequest{Memory: provisioning.Some(4 * provisioning.GiB)})
		require.NoError(t, err)
		require.NoError(t, m.wait(op))
		op, err = m.provider.Resize(t.Context(), m.id, provisioning.ResizeRequest{VCPUs: provisioning.Some(int(before.VCPUs) + 1)})
		require.NoError(t, err)
		require.NoError(t, m.wait(op))
		after := m.view()
		assert.Equal(t, int64(4096), after.MemoryMiB, "the memory of the first change is still there")
		assert.Equal(t, before.VCPUs+1, after.VCPUs)
		assert.Equal(t, before.DiskGiB, after.DiskGiB)
		assert.Equal(t, before.PlanID, after.PlanID)
	})
}

func TestAPlanAndADiskChangeTogether(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, m *managed) {
		disk := provisioning.Bytes(m.view().DiskGiB+5) * provisioning.GiB
		op, err := m.provider.Resize(t.Context(), m.id, provisioning.ResizeRequest{Plan: text(solusvm2test.PlanSmall), Disk: provisioning.Some(disk)})
		require.NoError(t, err)
		require.NoError(t, m.wait(op))
		assert.Equal(t, disk, provisioning.Bytes(m.view().DiskGiB)*provisioning.GiB)
		for field, r := range map[string]provisioning.ResizeRequest{
			"memory": {Plan: text(solusvm2test.PlanSmall), Memory: provisioning.Some[provisioning.Bytes](0)},
			"disk":   {Plan: text(solusvm2test.PlanSmall), Disk: provisioning.Some(-provisioning.GiB)},
			"vcpus":  {Plan: text(solusvm2test.PlanSmall), VCPUs: provisioning.Some(0)},
		} {
			_, err := m.provider.Resize(t.Context(), m.id, r)
			var e *provisioning.Error
			require.ErrorAs(t, err, &e)
			assert.Contains(t, e.Fields, field)
		}
		assert.Equal(t, 1, m.Count("resizeServer"))
	})
}

func TestThePrimaryAddressStays(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]func(http.RoundTripper) http.RoundTripper{
		"where the panel marks it": nil,
		"where it marks none": editing(http.MethodGet, "/101", func(answer map[string]any) {
			for _, family := range answer["data"].(map[string]any)["ip_addresses"].(map[string]any) {
				for _, row := range family.([]any) {
					delete(row.(map[string]any), "is_primary")
				}
			}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T, m *managed) {
				m.use(wrap)
				require.Equal(t, provisioning.ID("101"), m.id)
				s := m.view()
				for _, primary := range []netip.Addr{s.IPv4[0], netip.AddrFrom16(s.IPv4[0].As16()), s.IPv6[0].Addr().Next()} {
					require.ErrorIs(t, m.provider.RemoveAddresses(t.Context(), m.id, []netip.Addr{primary}), provisioning.Invalid, "%v", primary)
				}
				require.ErrorIs(t, m.provider.RemoveAddresses(t.Context(), m.id, []netip.Addr{netip.MustParseAddr("192.0.2.200")}), provisioning.NotFound)
				_, err := m.provider.AddIPv4(t.Context(), m.id, 1)
				require.NoError(t, err)
				time.Sleep(time.Minute)
				extra := m.view().IPv4[1]
				require.ErrorIs(t, m.provider.RemoveAddresses(t.Context(), m.id, []netip.Addr{extra, s.IPv4[0]}), provisioning.Invalid)
				require.Zero(t, m.Count("removeServerIPs"))
				require.NoError(t, m.provider.RemoveAddresses(t.Context(), m.id, []netip.Addr{extra, extra}))
				time.Sleep(time.Minute)
				assert.Equal(t, s.IPv4, m.view().IPv4)
			})
		})
	}
}

func TestASnapshotOfAnotherServerIsRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, m *managed) {
		op, err := m.provider.CreateSnapshot(t.Context(), m.id, "before")
		require.NoError(t, err)
		require.NoError(t, m.wait(op))
		own, err := m.provider.Snapshots(t.Context(), m.id)
		require.NoError(t, err)
		require.Len(t, own, 1)
		other, err := m.AddServer(solusvm2test.Server{UserID: m.owner, Name: "other.example.com"})
		require.NoError(t, err)
		_, err = m.provider.RevertSnapshot(t.Context(), provisioning.ID(text(other.ID)), own[0].ID)
		require.ErrorIs(t, err, provisioning.NotFound)
		_, err = m.provider.DeleteSnapshot(t.Context(), provisioning.ID(text(other.ID)), own[0].ID)
		require.ErrorIs(t, err, provisioning.NotFound)
		assert.Zero(t, m.Count("revertSnapshot")+m.Count("deleteSnapshot"))
	})
}

func TestTheConsolePasswordOfOlderPanelsIsReadFromTheServer(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, m *managed) {
		c, err := m.provider.OpenConsole(t.Context(), m.id)
		require.NoError(t, err)
		s, err := m.client.Servers.Get(t.Context(), solusvm2.ServerID(m.server))
		require.NoError(t, err)
		require.NotEmpty(t, c.Password)
		assert.Equal(t, s.Settings.VNC.Password, c.Password)
		assert.Equal(t, 1, m.Count("openVnc"), "a console is opened once")
	}, solusvm2test.WithOldShapes())
}

func TestTheRescueSystemIsBootedAndLeft(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, m *managed) {
		r, err := m.provider.EnterRescue(t.Context(), m.id)
		require.NoError(t, err)
		require.NoError(t, m.wait(r.Operation))
		assert.Equal(t, "rescue", m.view().BootedFrom)
		op, err := m.provider.LeaveRescue(t.Context(), m.id)
		require.NoError(t, err)
		require.NoError(t, m.wait(op))
		assert.Equal(t, "disk", m.view().BootedFrom)
	})
}

func TestThereIsNoLoginLink(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, m *managed) {
		_, err := provisioning.LoginLink(t.Context(), m.provider, ownerRef, m.id)
		require.ErrorIs(t, err, provisioning.Unsupported)
	})
}

func TestResultsOfTheProviderPrintNoSecret(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, m *managed) {
		created, err := m.create(m.order("order-1"))
		require.NoError(t, err)
		owner, err := m.provider.EnsureOwner(t.Context(), provisioning.Owner{Ref: "777", Email: "ann@example.com"})
		require.NoError(t, err)
		console, err := m.provider.OpenConsole(t.Context(), m.id)
		require.NoError(t, err)
		reset, err := m.provider.ResetRootPassword(t.Context(), m.id, provisioning.PasswordOptions{})
		require.NoError(t, err)
		instance, err := m.provider.Instance(t.Context(), m.id)
		require.NoError(t, err)
		m.Inject(provisioningtest.Fault{Op: "openVnc", Do: provisioningtest.CutAfter})
		_, failure := m.provider.OpenConsole(t.Context(), m.id)
		require.Error(t, failure)

		secrets := []provisioning.Secret{m.Token(), created.Password, owner.Password, console.Password, console.WebSocket, reset.Password}
		var printed strings.Builder
		for _, v := range []any{m.provider, *m.provider, created, owner, console, reset, instance, instance.Native, failure} {
			_, _ = fmt.Fprintf(&printed, "%v %+v %#v\n", v, v, v)
			slog.New(slog.NewTextHandler(&printed, nil)).Info("result", "value", v)
		}
		for _, secret := range secrets {
			require.NotEmpty(t, secret)
			assert.NotContains(t, printed.String(), secret.Reveal())
			assert.NotContains(t, m.log.String(), secret.Reveal())
		}
		assert.NotEmpty(t, m.log.String(), "the log that was looked through is one")
	})
}
