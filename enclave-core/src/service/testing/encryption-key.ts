/** Public half of an RSA key of the size that nodes have; nobody has the other half. Making one takes a second. */
export const ENCRYPTION_KEY = `-----BEGIN PUBLIC KEY-----
MIIBojANBgkqhkiG9w0BAQEFAAOCAY8AMIIBigKCAYEAiU+kJqwstE40dJEpRgET
nL9kHLYcgo0tZ6hRsz3BHfdAyIKYtDohfGMTsKgsT6jKu8s3LbkiM6LTkYX45l10
uaekarP1JocWWPXLj7Qmt0k2vTN7zXchbXHdQLHS1bOMDcOEJZmvJNFWdLrIKT39
vwdf5l7kRxbDtBix8iYnwI17VGCPhiYy2MaGOFuyAFUar8zNkgBulP/PQoef2Vyf
G7UG+UH7YABR50fwhztroiCX1KE7faLIkz5Ei1HNmmIWO7yjfO2fJDPfh0SDvICw
raG8YFKQWm9nfZasoF+Nia6XcJSlzFK1o1xlpnld55+psN2euqLgBCLmHLD9jdwb
+tZF0DHzYdjvsvA5yZJn/j9DoJUJotWJa4DhWp8GU5xImlimkzXn2PkFhL6UaUVT
GxTYo/7DX6OIx09s+xQ0W75Mbh8yjgi5fI6rGfFpz4qQLeyt/4Guji5/lCbeCCLi
or7cE0/y+W4s4HcexHzBkIsUA/7FruNp5VXQzoLIpgEBAgMBAAE=
-----END PUBLIC KEY-----
`;
