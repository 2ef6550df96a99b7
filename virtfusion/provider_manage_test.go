package virtfusion_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/provisioningtest"
	"github.com/hvpanels/hvpanels/virtfusion"
	"github.com/hvpanels/hvpanels/virtfusion/virtfusiontest"
)

// managed is a panel with a provider, a customer, and a server of his that is built and runs.
type managed struct {
	*virtfusiontest.Panel
	t        *testing.T
	client   *virtfusion.Client
	provider *virtfusion.Provider
	owner    int64
	server   int64
	id       provisioning.ID
}

func newManaged(t *testing.T, o virtfusion.ProviderOptions, opts ...virtfusiontest.Option) *managed {
	t.Helper()
	p := virtfusiontest.New(t, opts...)
	c, err := virtfusion.New(p.URL(), p.Token(), virtfusion.WithHTTPClient(&http.Client{Transport: p.Transport()}))
	require.NoError(t, err)
	owner := p.AddUser(virtfusiontest.User{Name: "Otto Owner", Email: "otto@example.com", ExtRelationID: ownerRef})
	s, err := p.AddServer(virtfusiontest.Server{OwnerID: owner, PackageID: virtfusiontest.PackageMedium, Name: "web-1", Hostname: "web-1.example.com",
		Built: true})
	require.NoError(t, err)
	return &managed{Panel: p, t: t, client: c, provider: virtfusion.NewProvider(c, o), owner: owner, server: s.ID, id: provisioning.ID(text(s.ID))}
}

// view is the truth about the server.
func (m *managed) view() virtfusiontest.ServerState {
	m.t.Helper()
	s, ok := m.Server(m.server)
	require.True(m.t, ok)
	return s
}

// wait waits a minute of the bubble's time at most.
func (m *managed) wait(op *provisioning.Operation) error {
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Minute)
	defer cancel()
	return op.Wait(ctx, provisioning.WaitOptions{})
}

func (m *managed) rebuild() (provisioning.Rebuilt, error) {
	return provisioning.Rebuild(m.t.Context(), m.provider, m.id, provisioning.RebuildRequest{Image: text(virtfusiontest.TemplateUbuntu)})
}

// inBubble runs a test with a panel in a bubble of its own.
func inBubble(t *testing.T, o virtfusion.ProviderOptions, test func(*testing.T, *managed), opts ...virtfusiontest.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newManaged(t, o, opts...)) })
}

func TestARebuildIsDoneWhenTheNewInstallationIsReady(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		before := m.view()
		time.Sleep(time.Hour)
		key := "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f otto@example.com"
		r, err := m.provider.Rebuild(t.Context(), m.id, provisioning.RebuildRequest{Image: text(virtfusiontest.TemplateUbuntu), SSHKeys: []string{key, key}})
		require.NoError(t, err)
		look, err := r.Look(t.Context())
		require.NoError(t, err)
		assert.False(t, look.Done, "the old installation is not the new one")

		resumed, err := provisioning.OpenOperation(m.provider, r.Ref())
		require.NoError(t, err)
		require.NoError(t, m.wait(resumed))
		after := m.view()
		assert.Equal(t, 2, after.Builds)
		assert.True(t, after.Built.After(before.Built))
		assert.Equal(t, virtfusiontest.TemplateUbuntu, after.TemplateID)
		assert.Equal(t, r.Password, after.RootPassword)
		assert.Equal(t, "web-1.example.com", after.Hostname, "left out, it stays")
		assert.Equal(t, "web-1", after.Name, "the name is the mark of an order")
		sent := m.Requests()
		assert.Contains(t, string(sent[slices.IndexFunc(sent, func(r virtfusiontest.Request) bool { return r.Op == "buildServer" })].Body),
			`"name":"web-1","hostname":"web-1.example.com"`)
		assert.Equal(t, before.IPv6, after.IPv6, "IPv6 is not switched on on the way")
		assert.Len(t, after.SSHKeyIDs, 1)
		assert.Empty(t, m.Mails())
		assert.Equal(t, m.id, r.Instance())
	})
}

func TestALostAnswerToARebuildIsNotTakenForTheOldInstallation(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault  provisioningtest.Fault
		builds int
		done   bool
	}{
		"after the commit":        {provisioningtest.Fault{Do: provisioningtest.CutAfter}, 2, true},
		"by a gateway that tired": {provisioningtest.Fault{Do: provisioningtest.AnswerLate, Status: http.StatusGatewayTimeout}, 2, true},
		"before a late commit":    {provisioningtest.Fault{Do: provisioningtest.CommitLate, Late: 10 * time.Second}, 2, true},
		"before any commit":       {provisioningtest.Fault{Do: provisioningtest.CutBefore}, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
				tt.fault.Op = "buildServer"
				m.Inject(tt.fault)
				r, err := m.rebuild()
				require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
				require.NotNil(t, r.Operation)
				err = m.wait(r.Operation)
				if tt.done {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, provisioning.ErrStillRunning)
				}
				assert.Equal(t, tt.builds, m.view().Builds)
				assert.Equal(t, 1, m.Count("buildServer"), "a rebuild is sent once")
			})
		})
	}
}

func TestARebuildThatFailsSaysSo(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		m.FailNextBuild("no space left on device")
		r, err := m.rebuild()
		require.NoError(t, err)
		require.ErrorIs(t, m.wait(r.Operation), provisioning.ErrTaskFailed)

		m.Inject(provisioningtest.Fault{Op: "buildServer", Do: provisioningtest.CutBefore})
		r, err = m.rebuild()
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		assert.Nil(t, r.Operation, "the old failure could not be told from a new one")

		r, err = m.rebuild()
		require.NoError(t, err)
		require.NoError(t, m.wait(r.Operation))
	})
}

func TestARebuildIsRefusedWhileWorkWaits(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		require.NoError(t, m.client.Servers.SetMemory(t.Context(), virtfusion.ServerID(m.server), 4096))
		r, err := m.rebuild()
		require.ErrorIs(t, err, provisioning.Locked)
		assert.Nil(t, r.Operation)
		_, err = m.provider.Rebuild(t.Context(), m.id, provisioning.RebuildRequest{Image: "Debian"})
		require.ErrorIs(t, err, provisioning.Invalid)
		_, err = m.provider.Rebuild(t.Context(), "99", provisioning.RebuildRequest{Image: "21"})
		require.ErrorIs(t, err, provisioning.NotFound)
		assert.Equal(t, 1, m.view().Builds)
	})
}

func TestAPackageChangeTellsWhatStaysAndWhatWaits(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		op, err := provisioning.Resize(t.Context(), m.provider, m.id, provisioning.ResizeRequest{Plan: text(virtfusiontest.PackageSmall)})
		require.NoError(t, err)
		require.NoError(t, m.wait(op))
		assert.Contains(t, op.Deferred(), "primary disk not updated. It either matches or is lower than the current value")
		assert.Contains(t, op.Deferred(), "Update memory")
		assert.Contains(t, op.Deferred(), "Update CPU cores")
		assert.EqualValues(t, 1024, m.view().MemoryMB)
		assert.EqualValues(t, 40, m.view().DiskGB, "disks never shrink")

		restart, err := m.provider.Restart(t.Context(), m.id)
		require.NoError(t, err)
		require.NoError(t, m.wait(restart))
		op, err = m.provider.Resize(t.Context(), m.id, provisioning.ResizeRequest{Plan: text(virtfusiontest.PackageSmall)})
		require.NoError(t, err)
		assert.NotContains(t, op.Deferred(), "Update memory", "it was carried out")
	})
}

func TestAPackageChangeIsDoneAlsoWhenTheServerCannotBeReadAfterIt(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		m.Inject(provisioningtest.Fault{Op: "getServer", Do: provisioningtest.Answer, Status: 500, Body: `{"message":"Server Error"}`})
		op, err := m.provider.Resize(t.Context(), m.id, provisioning.ResizeRequest{Plan: text(virtfusiontest.PackageLarge)})
		require.NoError(t, err)
		assert.Contains(t, op.Deferred(), "the server could not be read, so what waits for its next power action is not known")
		assert.EqualValues(t, 8192, m.view().MemoryMB)
	})
}

func TestFailedWorkIsToldAsFailed(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		_, err := m.client.Servers.CreateDisk(t.Context(), virtfusion.ServerID(m.server), virtfusion.CreateDiskRequest{Size: 5})
		require.NoError(t, err)
		m.FailDeferred(m.server)
		op, err := m.provider.Resize(t.Context(), m.id, provisioning.ResizeRequest{VCPUs: provisioning.Some(3)})
		require.NoError(t, err)
		assert.Equal(t, []string{"Create HDD (sdb) (failed)", "Update CPU cores"}, op.Deferred())
	})
}

func TestSingleResourcesAreChangedAndOnlyWhatDiffersIsSent(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		all := provisioning.ResizeRequest{Memory: provisioning.Some(4 * provisioning.GiB), Disk: provisioning.Some(60 * provisioning.GiB),
			VCPUs: provisioning.Some(4)}
		op, err := m.provider.Resize(t.Context(), m.id, all)
		require.NoError(t, err)
		assert.Equal(t, []string{"Update CPU cores", "Update memory", "Resize HDD (sda)"}, op.Deferred())
		s := m.view()
		assert.Equal(t, []int64{4096, 60, 4}, []int64{s.MemoryMB, s.DiskGB, s.Cores})

		_, err = m.provider.Resize(t.Context(), m.id, all)
		require.NoError(t, err)
		for _, op := range []string{"modifyServerMemory", "modifyServerCpuCores", "modifyServerStorage"} {
			assert.Equal(t, 1, m.Count(op), op)
		}
	})
}

func TestADiskThatWouldShrinkStopsEverything(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		_, err := m.provider.Resize(t.Context(), m.id, provisioning.ResizeRequest{Memory: provisioning.Some(4 * provisioning.GiB),
			Disk: provisioning.Some(provisioning.GiB)})
		require.ErrorIs(t, err, provisioning.Invalid)
		assert.Zero(t, m.Count("modifyServerMemory"))
	})
}

func TestAChangeOfWhichAPartWasDoneSaysSo(t *testing.T) {
	t.Parallel()
	both := provisioning.ResizeRequest{Memory: provisioning.Some(4 * provisioning.GiB), Disk: provisioning.Some(60 * provisioning.GiB)}
	t.Run("on a panel that cannot grow disks", func(t *testing.T) {
		t.Parallel()
		inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
			_, err := m.provider.Resize(t.Context(), m.id, both)
			require.ErrorIs(t, err, provisioning.NoRoute)
			require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
			require.ErrorContains(t, err, "memory changed before")
			require.ErrorContains(t, err, "7.1")
			assert.EqualValues(t, 4096, m.view().MemoryMB)
		}, virtfusiontest.WithVersion(virtfusiontest.V70))
	})
	t.Run("and asking again does the rest", func(t *testing.T) {
		t.Parallel()
		inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
			m.Inject(provisioningtest.Fault{Op: "modifyServerStorage", Do: provisioningtest.Answer, Status: 423, Body: `{"msg":"pending tasks in queue"}`})
			_, err := m.provider.Resize(t.Context(), m.id, both)
			require.ErrorIs(t, err, provisioning.Locked)
			require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
			_, err = m.provider.Resize(t.Context(), m.id, both)
			require.NoError(t, err)
			assert.EqualValues(t, 60, m.view().DiskGB)
			assert.Equal(t, 1, m.Count("modifyServerMemory"))
		})
	})
	t.Run("but nothing was done when the first part is refused", func(t *testing.T) {
		t.Parallel()
		inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
			_, err := m.provider.Resize(t.Context(), m.id, provisioning.ResizeRequest{Memory: provisioning.Some(1 << 20 * provisioning.GiB)})
			require.ErrorIs(t, err, provisioning.Capacity)
			require.NotErrorIs(t, err, provisioning.ErrMaybeApplied)
		})
	})
}

func TestAResizeThatMakesNoSenseIsRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		for name, r := range map[string]provisioning.ResizeRequest{
			"nothing":            {},
			"both":               {Plan: "1", VCPUs: provisioning.Some(2)},
			"a name":             {Plan: "VPS M"},
			"8 bytes":            {Memory: provisioning.Some(provisioning.Bytes(8))},
			"128 MB":             {Memory: provisioning.Some(128 * provisioning.MiB)},
			"half a gigabyte":    {Disk: provisioning.Some(512 * provisioning.MiB)},
			"no disk":            {Disk: provisioning.Some(provisioning.Bytes(0))},
			"no cores":           {VCPUs: provisioning.Some(0)},
			"more cores than is": {VCPUs: provisioning.Some(601)},
		} {
			_, err := m.provider.Resize(t.Context(), m.id, r)
			require.ErrorIs(t, err, provisioning.Invalid, name)
		}
		assert.Empty(t, m.Requests())
	})
}

func TestARootPasswordIsValidWhenItsQueueItemHasEnded(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		r, err := provisioning.ResetRootPassword(t.Context(), m.provider, m.id, provisioning.PasswordOptions{})
		require.NoError(t, err)
		assert.NotEqual(t, r.Password, m.view().RootPassword, "not yet")
		require.NoError(t, m.wait(r.Operation))
		assert.Equal(t, r.Password, m.view().RootPassword)
		assert.Empty(t, m.Mails(), "nobody is mailed unless it is asked for")

		r, err = m.provider.ResetRootPassword(t.Context(), m.id, provisioning.PasswordOptions{User: "Administrator", SendMail: true})
		require.NoError(t, err)
		require.NoError(t, m.wait(r.Operation))
		assert.Len(t, m.Mails(), 1)

		m.FailNext(virtfusiontest.TaskResetPassword, "guest agent is not responding")
		r, err = m.provider.ResetRootPassword(t.Context(), m.id, provisioning.PasswordOptions{})
		require.NoError(t, err)
		err = m.wait(r.Operation)
		require.ErrorIs(t, err, provisioning.ErrTaskFailed)
		require.ErrorContains(t, err, "guest agent is not responding")

		m.Inject(provisioningtest.Fault{Op: "resetServerPassword", Do: provisioningtest.CutAfter})
		_, err = m.provider.ResetRootPassword(t.Context(), m.id, provisioning.PasswordOptions{})
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		assert.Equal(t, 4, m.Count("resetServerPassword"))
		_, err = m.provider.ResetRootPassword(t.Context(), m.id, provisioning.PasswordOptions{User: "otto"})
		require.ErrorIs(t, err, provisioning.Invalid)
	})
}

func TestARootPasswordWithoutAQueueItemIsNotCalledValid(t *testing.T) {
	t.Parallel()
	c, _ := newClient(t, answer{status: 200, body: []byte(`{"data":{"queueId":null,"expectedPassword":"planted"}}`)})
	r, err := virtfusion.NewProvider(c, virtfusion.ProviderOptions{}).ResetRootPassword(t.Context(), "417", provisioning.PasswordOptions{})
	require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
	assert.Nil(t, r.Operation)
	assert.NotContains(t, printed(r, err), "planted")
}

func TestBackupsAreListedWithTheirState(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		none, err := provisioning.Backups(t.Context(), m.provider, m.id)
		require.NoError(t, err)
		assert.Empty(t, none)
		m.AddBackup(m.server)
		all, err := m.provider.Backups(t.Context(), m.id)
		require.NoError(t, err)
		require.Len(t, all, 1)
		assert.Equal(t, "complete", all[0].State)
		assert.False(t, all[0].Created.IsZero())
		_, err = m.provider.Backups(t.Context(), "99")
		require.ErrorIs(t, err, provisioning.NotFound)
	})
	for flags, want := range map[string]string{`"deleting":true,"complete":true`: "deleting", `"restoring":1`: "restoring", `"progress":true`: "running",
		`"complete":0`: "incomplete"} {
		c, _ := newClient(t, answer{status: 200, body: []byte(`{"data":[{"id":1,` + flags + `}]}`)})
		all, err := virtfusion.NewProvider(c, virtfusion.ProviderOptions{}).Backups(t.Context(), "417")
		require.NoError(t, err)
		assert.Equal(t, want, all[0].State)
	}
}

func TestRescueIsEnteredOnceAndWithoutMail(t *testing.T) {
	t.Parallel()
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		r, err := provisioning.EnterRescue(t.Context(), m.provider, m.id)
		require.NoError(t, err)
		require.NoError(t, m.wait(r.Operation))
		assert.NotEmpty(t, r.Deferred(), "the panel does not tell when the system is there")
		time.Sleep(5 * time.Second)
		state, ok := m.Managed(m.server)
		require.True(t, ok)
		assert.EqualValues(t, 1, state.RescueImage)
		assert.Empty(t, m.Mails())

		m.Inject(provisioningtest.Fault{Op: "enableServerRescue", Do: provisioningtest.CutAfter})
		_, err = m.provider.EnterRescue(t.Context(), m.id)
		require.ErrorIs(t, err, provisioning.ErrMaybeApplied)
		assert.Equal(t, 2, m.Count("enableServerRescue"))
		_, leaves := provisioning.As[provisioning.RescueLeaver](m.provider)
		assert.False(t, leaves, "no way to leave is known")
	})
	inBubble(t, virtfusion.ProviderOptions{}, func(t *testing.T, m *managed) {
		_, err := m.provider.EnterRescue(t.Context(), m.id)
		require.ErrorIs(t, err, provisioning.NoRoute)
		require.ErrorContains(t, err, "7.1")
	}, virtfusiontest.WithVersion(virtfusiontest.V70))
}

func TestRescueWaitsForItsQueueItemWhereThePanelNamesOne(t *testing.T) {
	t.Parallel()
	c, _ := newClient(t, from(t, "enableServerRescue.200"))
	r, err := virtfusion.NewProvider(c, virtfusion.ProviderOptions{}).EnterRescue(t.Context(), "417")
	require.NoError(t, err)
	assert.Equal(t, "queue/417/2011", r.Ref())
	assert.NotContains(t, printed(r), "fixture-rescue-password")
}

func TestAnOwnerWhomAnotherCallMakesAtTheSameMomentIsFound(t *testing.T) {
	t.Parallel()
	ann := provisioning.Owner{Ref: "777", Name: "Ann Example", Email: "ann@example.com"}
	for name, down := range map[string]bool{"and is found": false, "while the panel fails": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := virtfusiontest.New(t)
				c, err := virtfusion.New(p.URL(), p.Token(), virtfusion.WithHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
					if r.Method == http.MethodPost {
						p.AddUser(virtfusiontest.User{Name: ann.Name, Email: ann.Email, ExtRelationID: 777})
						if down {
							p.Inject(provisioningtest.Fault{Op: "getUserByExtRelation", Do: provisioningtest.HTML, Status: 502, Times: 20})
						}
					}
					return p.Transport().RoundTrip(r)
				})}))
				require.NoError(t, err)
				provider := virtfusion.NewProvider(c, virtfusion.ProviderOptions{})
				account, err := provider.EnsureOwner(t.Context(), ann)
				if down {
					require.ErrorIs(t, err, provisioning.Unavailable, "it is not refused for good")
					p.Faults().Clear()
					account, err = provider.EnsureOwner(t.Context(), ann)
				}
				require.NoError(t, err)
				assert.Equal(t, "777", account.Ref)
				assert.False(t, account.Created)
			})
		})
	}
}
