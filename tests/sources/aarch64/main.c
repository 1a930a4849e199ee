int PyInit_m(void);
int main(void) { PyInit_m(); return 0; }
