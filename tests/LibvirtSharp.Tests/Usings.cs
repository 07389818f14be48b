global using LibvirtSharp;
