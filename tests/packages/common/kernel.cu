// One source for CUDA and HIP.
#if defined(__HIP__)
#include <hip/hip_runtime.h>
#define cudaGetDeviceCount hipGetDeviceCount
#define cudaSuccess hipSuccess
#define cudaMallocManaged hipMallocManaged
#define cudaDeviceSynchronize hipDeviceSynchronize
#define cudaFree hipFree
#endif

__global__ void twice(float *values, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) values[i] *= 2.0f;
}

int device_count() {
    int count = 0;
    return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
}

bool run_twice(float *host, int n) {
    float *values = nullptr;
    if (cudaMallocManaged(&values, n * sizeof(float)) != cudaSuccess) return false;
    for (int i = 0; i < n; ++i) values[i] = host[i];
    twice<<<(n + 255) / 256, 256>>>(values, n);
    bool done = cudaDeviceSynchronize() == cudaSuccess;
    for (int i = 0; i < n; ++i) host[i] = values[i];
    (void)cudaFree(values);
    return done;
}
