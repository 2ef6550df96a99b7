package engine

import (
	"context"
	"sync"
	"time"

	"github.com/hvpanels/hvpanels/provisioning"
)

// imageNames remembers what catalogs call an image. Some panels tell it with the server and some only in their catalog.
type imageNames struct {
	mu   sync.Mutex
	seen map[imageKey]imageName
}

type imageKey struct{ panel, image string }

type imageName struct {
	name  string
	asked time.Time
}

// imageName is the catalog's name of the installed operating system, "" when it cannot be read. A catalog that could not be read is asked again after
// Timings.RetryMax.
func (p *providerStep) imageName(ctx context.Context) string {
	image := p.l.Image
	if image == "" {
		image = p.svc.Spec.Image
	}
	n, key := &p.e.images, imageKey{p.t.panel, image}
	n.mu.Lock()
	known, ok := n.seen[key]
	n.mu.Unlock()
	if ok && (known.name != "" || time.Since(known.asked) < p.e.config.Timings.RetryMax) {
		return known.name
	}
	found, err := provisioning.FindImage(ctx, p.p.provider, p.svc.Spec.Plan, image)
	if ctx.Err() != nil {
		return ""
	}
	if err != nil {
		found.Name = ""
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seen[key] = imageName{found.Name, time.Now()}
	return found.Name
}
