/* replay.c - `replay FILE ...` runs each file through fuzz_boids.c: the fuzzer's kept inputs as a test, and one of its findings */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

/* An input of the exact size, so that a read past it is seen. NULL when the file cannot be read. */
static uint8_t* read_file(const char* path, size_t* size) {
    FILE* file = fopen(path, "rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t* data = (uint8_t*)malloc(*size ? *size : 1);
    if (data && fread(data, 1, *size, file) != *size) {
        free(data);
        data = NULL;
    }
    fclose(file);
    return data;
}

int main(int argc, char** argv) {
    for (int k = 1; k < argc; k++) {
        size_t size = 0;
        uint8_t* data = read_file(argv[k], &size);
        if (!data) {
            fprintf(stderr, "%s cannot be read\n", argv[k]);
            return 2;
        }
        printf("%s\n", argv[k]);
        fflush(stdout); /* so that the last one named is the one that failed, however it did */
        LLVMFuzzerTestOneInput(data, size);
        free(data);
    }
    printf("replayed %d\n", argc - 1);
    return argc < 2;
}
