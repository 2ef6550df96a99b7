package engine_test

import (
	"context"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hvpanels/hvpanels/provisioning"
	"github.com/hvpanels/hvpanels/provisioning/engine"
	"github.com/hvpanels/hvpanels/solusvm2"
	"github.com/hvpanels/hvpanels/solusvm2/solusvm2test"
)

// nameless is a provider that does not tell what its images are called.
type nameless struct{ provisioning.Provider }

func (n nameless) Unwrap() provisioning.Provider { return n.Provider }

func (n nameless) Plans(context.Context) ([]provisioning.PlanInfo, error) { return nil, noCatalog }

func (n nameless) Images(context.Context, string) ([]provisioning.ImageInfo, error) {
	return nil, noCatalog
}

func (n nameless) Locations(context.Context) ([]provisioning.LocationInfo, error) {
	return nil, noCatalog
}

var noCatalog = &provisioning.Error{Kind: provisioning.Unsupported, Op: "Catalog"}

// newSolusVM2 makes a simulated panel, and an order for it.
func newSolusVM2(t *testing.T, opts ...solusvm2test.Option) (*solusvm2test.Panel, *solusvm2.Provider, engine.Service) {
	p := solusvm2test.New(t, append([]solusvm2test.Option{solusvm2test.WithSpeed(testSpeed)}, opts...)...)
	c, err := solusvm2.New(p.URL(), p.Token(), solusvm2.WithHTTPClient(&http.Client{Transport: p.Transport()}))
	require.NoError(t, err)
	provider := solusvm2.NewProvider(c, solusvm2.ProviderOptions{})
	o := recorded("order-1")
	o.Spec.Plan, o.Spec.Image = strconv.FormatInt(solusvm2test.PlanSmall, 10), strconv.FormatInt(solusvm2test.VersionDebian12, 10)
	locations, err := provider.Locations(t.Context())
	require.NoError(t, err)
	o.Spec.Location = locations[0].ID
	return p, provider, o
}

func TestARecordNamesTheSystemAlsoWhereOnlyTheCatalogTellsIt(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		_, provider, o := newSolusVM2(t)
		records := newRecords(t)
		e := start(t, config(db, provider, withRegistrar(newRegistrar(t, records, customers))))
		require.NoError(t, e.Apply(t.Context(), o))
		assert.Equal(t, "Debian 12", ready(t, e, o.Key).Instance.Image)
		require.Len(t, records.Records(), 1)
		assert.Equal(t, "Debian 12", records.Records()[0].OS)
	})
}

// early is a provider whose servers look the same while they are installed as afterwards.
type early struct{ nameless }

func (e early) Instance(ctx context.Context, id provisioning.ID) (provisioning.Instance, error) {
	i, err := e.nameless.Instance(ctx, id)
	if err == nil {
		i = provisioning.Instance{ID: i.ID, UUID: i.UUID, Phase: provisioning.PhaseReady, Power: provisioning.PowerRunning,
			Memory: provisioning.Some(provisioning.GiB), Disk: provisioning.Some(20 * provisioning.GiB), VCPUs: provisioning.Some(1)}
	}
	return i, err
}

func TestARecordThatNobodyDescribesSaysWhatIsMissing(t *testing.T) {
	onEach(t, func(t *testing.T, db provisioning.Secret) {
		_, provider, o := newSolusVM2(t)
		records := newRecords(t)
		e := start(t, config(db, early{nameless{provider}}, withRegistrar(newRegistrar(t, records, customers))))
		require.NoError(t, e.Apply(t.Context(), o))
		blocked := record(t, e, o.Key, inState(engine.Blocked))
		assert.Contains(t, blocked.Message, "Service.Record.Image has to be set")
		assert.Empty(t, records.Records())
		o.Record.Image = "Debian 12"
		require.NoError(t, e.Apply(t.Context(), o))
		ready(t, e, o.Key)
		assert.Equal(t, "Debian 12", records.Records()[0].OS)
	})
}
