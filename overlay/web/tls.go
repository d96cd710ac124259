package web

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"strings"
	"time"
)

// certificate returns the settings of TLS and the fingerprint of the certificate, nil for plain HTTP.
func (c *Config) certificate(host string) (*tls.Config, string, error) {
	var cert tls.Certificate
	var err error
	switch {
	case c.CertFile != "":
		if cert, err = tls.LoadX509KeyPair(c.CertFile, c.KeyFile); err != nil {
			return nil, "", fmt.Errorf("read the certificate %q and its key %q: %w", c.CertFile, c.KeyFile, err)
		}
	case c.SelfSigned:
		if cert, err = selfSigned(append([]string{host}, c.Hosts...), time.Now()); err != nil {
			return nil, "", fmt.Errorf("make a certificate: %w", err)
		}
	default:
		return nil, "", nil
	}
	sum := sha256.Sum256(cert.Certificate[0])
	text := strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":")
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, text, nil
}

// selfSigned makes a certificate for this machine and those names that is good for a year. Its key
// is never written anywhere.
func selfSigned(names []string, now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return tls.Certificate{}, err
	}
	t := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "glom serve"},
		NotBefore:    now.Add(-time.Hour), // clocks differ
		NotAfter:     now.AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},

		BasicConstraintsValid: true,
	}
	names = append(names, "localhost", "127.0.0.1", "::1", machine())
	for _, n := range append(names, addresses()...) {
		if ip := net.ParseIP(n); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else if n != "" {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}
