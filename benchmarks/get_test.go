package benchmarks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hvpanels/hvpanels/virtfusion"
)

const (
	token     = "benchmark-token-benchmark-token"
	serverEnv = "HVPANELS_BENCHMARK_SERVER"
)

// TestMain serves the recorded answer when this program was started as the other process.
func TestMain(m *testing.M) {
	if os.Getenv(serverEnv) == "" {
		os.Exit(m.Run())
	}
	body, err := answer()
	if err != nil {
		panic(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr())
	go func() { // the parent holds our standard input: when it ends, so do we
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	panic(http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})))
}

func answer() ([]byte, error) { return os.ReadFile("../testdata/virtfusion/getServer.200.json") }

type memory struct {
	header http.Header
	body   []byte
}

func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: m.header,
		Body: io.NopCloser(bytes.NewReader(m.body)), ContentLength: int64(len(m.body)), Request: r}, nil
}

func BenchmarkGetServer(b *testing.B) {
	body, err := answer()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("memory", func(b *testing.B) {
		compare(b, "http://127.0.0.1", memory{http.Header{"Content-Type": {"application/json"}}, body})
	})
	b.Run("loopback", func(b *testing.B) {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		defer transport.CloseIdleConnections()
		compare(b, "http://"+otherProcess(b), transport)
	})
}

func otherProcess(b *testing.B) string {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), serverEnv+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	var addr string
	if _, err := fmt.Fscanln(out, &addr); err != nil {
		b.Fatal(err)
	}
	return addr
}

// compare alternates plain and hvpanels calls in rounds and reports the medians.
func compare(b *testing.B, url string, transport http.RoundTripper) {
	b.Helper()
	plain := plainGet(b, url, transport)
	ours := hvpanelsGet(b, url, transport)
	for range 50 {
		plain()
		ours()
	}
	const perRound = 20
	var plainTime, ourTime, plainBytes, ourBytes []float64
	for b.Loop() {
		t, n := measure(plain, perRound)
		plainTime, plainBytes = append(plainTime, t), append(plainBytes, n)
		t, n = measure(ours, perRound)
		ourTime, ourBytes = append(ourTime, t), append(ourBytes, n)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(plainTime), "plain-ns")
	b.ReportMetric(median(ourTime), "hvpanels-ns")
	b.ReportMetric(median(plainBytes), "plain-B")
	b.ReportMetric(median(ourBytes), "hvpanels-B")
	b.ReportMetric(median(ourTime)/median(plainTime), "x-time")
	b.ReportMetric(median(ourBytes)/median(plainBytes), "x-bytes")
}

func measure(call func(), times int) (nanoseconds, bytesAllocated float64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	for range times {
		call()
	}
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	return float64(took.Nanoseconds()) / float64(times), float64(after.TotalAlloc-before.TotalAlloc) / float64(times)
}

func median(v []float64) float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	return v[len(v)/2]
}

// plainGet is what a careful program does without a client.
func plainGet(b *testing.B, url string, transport http.RoundTripper) func() {
	b.Helper()
	client := &http.Client{Transport: transport}
	return func() {
		req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url+"/api/v1/servers/69", nil)
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Accept", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			b.Fatal(resp.Status, err)
		}
		var out struct {
			Data virtfusion.Server `json:"data"`
		}
		if err := json.Unmarshal(body, &out); err != nil {
			b.Fatal(err)
		}
		check(b, &out.Data)
	}
}

func hvpanelsGet(b *testing.B, url string, transport http.RoundTripper) func() {
	b.Helper()
	client, err := virtfusion.New(url, token, virtfusion.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		b.Fatal(err)
	}
	return func() {
		s, err := client.Servers.Get(b.Context(), serverID(b), virtfusion.GetServerOptions{})
		if err != nil {
			b.Fatal(err)
		}
		check(b, s)
	}
}

var recordedID virtfusion.ServerID

func serverID(b *testing.B) virtfusion.ServerID {
	if recordedID != 0 {
		return recordedID
	}
	body, err := answer()
	if err != nil {
		b.Fatal(err)
	}
	var out struct{ Data virtfusion.Server }
	if err := json.NewDecoder(strings.NewReader(string(body))).Decode(&out); err != nil {
		b.Fatal(err)
	}
	recordedID = out.Data.ID
	return recordedID
}

func check(b *testing.B, s *virtfusion.Server) {
	if s.ID != serverID(b) || s.UUID == "" {
		b.Fatalf("server %d", s.ID)
	}
}
