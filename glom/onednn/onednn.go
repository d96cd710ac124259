package onednn

/*
#cgo CFLAGS: -O2 -fopenmp
#cgo LDFLAGS: -ldnnl -lgomp
#include <omp.h>
#include <oneapi/dnnl/dnnl.h>

// oneDNN asks OpenMP how many threads to use, and OpenMP answers for the thread that asks.
static _Thread_local int single;

static int sgemm(char ta, char tb, long m, long n, long k, float alpha, const float *a, long lda,
                 const float *b, long ldb, float beta, float *c, long ldc) {
	if (!single) {
		omp_set_num_threads(1);
		single = 1;
	}
	return dnnl_sgemm(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

static const dnnl_version_t *version(void) { return dnnl_version(); }
static int isa(void) { return dnnl_get_effective_cpu_isa(); }
*/
import "C"

import (
	"fmt"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/gonum"
)

// Use makes blas32 multiply matrices with oneDNN, for the whole program. Call it once, first
// thing in main.
func Use() { blas32.Use(BLAS{}) }

// BLAS is gonum's own implementation with oneDNN's Sgemm in place of gonum's. Its zero value is
// ready to use, also by many goroutines at once. Each product runs on the thread that asks for it.
type BLAS struct{ gonum.Implementation }

// Sgemm computes C = alpha*op(A)*op(B) + beta*C as [gonum.Implementation.Sgemm] does, and panics
// as it does on sizes that don't fit.
func (b BLAS) Sgemm(tA, tB blas.Transpose, m, n, k int, alpha float32, x []float32, lda int, y []float32, ldb int, beta float32, c []float32, ldc int) {
	rowsA, colsA, ta := m, k, C.char('N')
	if tA != blas.NoTrans {
		rowsA, colsA, ta = k, m, 'T'
	}
	rowsB, colsB, tb := k, n, C.char('N')
	if tB != blas.NoTrans {
		rowsB, colsB, tb = n, k, 'T'
	}
	// gonum checks what is out of the ordinary, and says what is wrong with it.
	if m <= 0 || n <= 0 || k <= 0 || !fits(x, rowsA, colsA, lda) || !fits(y, rowsB, colsB, ldb) || !fits(c, m, n, ldc) || !known(tA) || !known(tB) {
		b.Implementation.Sgemm(tA, tB, m, n, k, alpha, x, lda, y, ldb, beta, c, ldc)
		return
	}
	status := C.sgemm(ta, tb, C.long(m), C.long(n), C.long(k), C.float(alpha), (*C.float)(&x[0]), C.long(lda),
		(*C.float)(&y[0]), C.long(ldb), C.float(beta), (*C.float)(&c[0]), C.long(ldc))
	if status != C.dnnl_success { // out of memory; the product can still be had
		b.Implementation.Sgemm(tA, tB, m, n, k, alpha, x, lda, y, ldb, beta, c, ldc)
	}
}

func fits(v []float32, rows, cols, stride int) bool {
	return stride >= cols && len(v) >= (rows-1)*stride+cols
}

func known(t blas.Transpose) bool { return t == blas.NoTrans || t == blas.Trans || t == blas.ConjTrans }

// Version returns the version of oneDNN and the instruction set its kernels use here.
func Version() string {
	v := C.version()
	return fmt.Sprintf("%d.%d.%d, %s kernels", v.major, v.minor, v.patch, isaName(int(C.isa())))
}

func isaName(isa int) string {
	switch isa {
	case C.dnnl_cpu_isa_sse41:
		return "SSE4.1"
	case C.dnnl_cpu_isa_avx:
		return "AVX"
	case C.dnnl_cpu_isa_avx2:
		return "AVX2"
	case C.dnnl_cpu_isa_avx2_vnni:
		return "AVX2 VNNI"
	case C.dnnl_cpu_isa_avx512_core:
		return "AVX-512"
	case C.dnnl_cpu_isa_avx512_core_vnni:
		return "AVX-512 VNNI"
	case C.dnnl_cpu_isa_avx512_core_bf16:
		return "AVX-512 BF16"
	case C.dnnl_cpu_isa_avx512_core_amx:
		return "AVX-512 AMX"
	}
	return fmt.Sprintf("instruction set %#x", isa)
}
