package web

import (
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are what Prometheus can read at the admin address. Make them with NewMetrics.
type Metrics struct {
	registry *prometheus.Registry
	stages   *prometheus.HistogramVec
	refused  *prometheus.CounterVec
}

// NewMetrics returns metrics of this process, with nothing of the video yet.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "glom_stage_seconds",
			Help:    "How long a frame spent in a stage; the stage age is from capture until it was given to all viewers.",
			Buckets: []float64{.0005, .001, .002, .004, .008, .016, .033, .066, .125, .25, .5, 1, 2},
		}, []string{"stage"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "glom_http_refused_total", Help: "Requests that were refused, by reason.",
		}, []string{"reason"}),
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), m.stages, m.refused)
	return m
}

// Observe counts one frame's time in a stage.
func (m *Metrics) Observe(stage string, d time.Duration) {
	m.stages.WithLabelValues(stage).Observe(d.Seconds())
}

// Counter has f asked for a number that only grows. The labels are names and values in turn.
func (m *Metrics) Counter(name, help string, f func() float64, labels ...string) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: pairs(labels)}, f))
}

// Gauge has f asked for a number. The labels are names and values in turn.
func (m *Metrics) Gauge(name, help string, f func() float64, labels ...string) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help, ConstLabels: pairs(labels)}, f))
}

func pairs(s []string) prometheus.Labels {
	l := prometheus.Labels{}
	for i := 0; i+1 < len(s); i += 2 {
		l[s[i]] = s[i+1]
	}
	return l
}

func (m *Metrics) refuse(reason string) { m.refused.WithLabelValues(reason).Inc() }

// admin serves metrics and profiles, but not the command line, which may hold a token.
func (m *Metrics) admin() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}
